"""Ad tokens: HS256 JWT under a secret, an issuer and an audience of their own, so that no other token passes for one.

Serving, tracking and carts all verify by `verify`.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from shared.ads.claims import AdClaims, AdEvent, Placement, TargetType
from shared.kit.config import Settings
from shared.kit.tokens import BadToken, Signer, parse_keys

VERSION = 1
TTL_S = 30 * 24 * 3600
MAX_BYTES = 1024

_ISSUER = "packfinderz-ads"
_AUDIENCE = "ad-events"


class AdTokenSettings(Settings):
    """`ads_token_keys` is `kid:secret,kid:secret`; the first signs, all are accepted."""

    ads_token_keys: str

    @field_validator("ads_token_keys")
    @classmethod
    def _usable(cls, value: str) -> str:
        parse_keys(value)
        return value


class _Wire(BaseModel):
    """The claims as they travel, all of them and no others. `at` is in milliseconds since 1970."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    iss: str
    aud: str
    iat: int
    exp: int
    ver: Literal[1]
    jti: UUID
    ad: UUID
    creative: UUID
    placement: Placement
    target_type: TargetType
    target: UUID
    vendor: UUID
    buyer: UUID
    event: AdEvent
    bid: Annotated[int, Field(ge=1)]
    request: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    destination: Annotated[str, StringConstraints(pattern=r"^/")]
    at: Annotated[int, Field(ge=0, lt=10**14)]


@lru_cache(maxsize=4)
def _signer(settings: AdTokenSettings) -> Signer:
    return Signer(parse_keys(settings.ads_token_keys), _ISSUER, _AUDIENCE)


def mint(claims: AdClaims) -> str:
    """A token for these claims, good for 30 days. Raises ValueError when it would be longer than 1 KB."""
    token = _signer(AdTokenSettings.current()).sign(
        {
            "ver": VERSION,
            "jti": claims.token_id.hex,
            "ad": claims.ad_id.hex,
            "creative": claims.creative_id.hex,
            "placement": claims.placement,
            "target_type": claims.target_type,
            "target": claims.target_id.hex,
            "vendor": claims.vendor_store_id.hex,
            "buyer": claims.buyer_store_id.hex,
            "event": claims.event,
            "bid": claims.bid_cents,
            "request": claims.request_id,
            "destination": claims.destination,
            "at": round(claims.occurred_at.timestamp() * 1000),
        },
        ttl_s=TTL_S,
    )
    if len(token) > MAX_BYTES:
        raise ValueError(f"an ad token of {len(token)} bytes; the destination is too long")
    return token


def verify(token: str) -> AdClaims:
    """What a token says. Raises BadToken for any flaw: size, key, algorithm, issuer, audience, age, version, claims."""
    if len(token) > MAX_BYTES:
        raise BadToken
    signed: dict[str, Any] = _signer(AdTokenSettings.current()).verify(token)
    try:
        wire = _Wire.model_validate(signed)
    except ValidationError as error:
        raise BadToken from error
    return AdClaims(
        token_id=wire.jti,
        ad_id=wire.ad,
        creative_id=wire.creative,
        placement=wire.placement,
        target_type=wire.target_type,
        target_id=wire.target,
        vendor_store_id=wire.vendor,
        buyer_store_id=wire.buyer,
        event=wire.event,
        bid_cents=wire.bid,
        request_id=wire.request,
        destination=wire.destination,
        occurred_at=datetime.fromtimestamp(wire.at / 1000, UTC),
    )

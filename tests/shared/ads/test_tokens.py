"""Ad tokens: whole, small, and of use for nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest

from shared.ads.claims import AdClaims, AdEvent, Placement, TargetType
from shared.ads.tokens import MAX_BYTES, AdTokenSettings, mint, verify
from shared.kit import auth, clock
from shared.kit.config import SettingMissing
from shared.kit.tokens import BadToken

NOW = datetime(2026, 7, 1, 12, 0, 0, 123_000, tzinfo=UTC)
SECRET = "an-ad-token-secret-for-tests-only-and-long-enough-for-HS512-too-0001"
CLAIMS = AdClaims(
    token_id=uuid4(),
    ad_id=uuid4(),
    creative_id=uuid4(),
    placement=Placement.HERO,
    target_type=TargetType.STORE,
    target_id=uuid4(),
    vendor_store_id=uuid4(),
    buyer_store_id=uuid4(),
    event=AdEvent.IMPRESSION,
    bid_cents=1_200,
    request_id="0197c0de-0000-7000-8000-000000000001",
    destination="/stores/red-dirt-gardens?from=hero",
    occurred_at=NOW,
)


@pytest.fixture(autouse=True)
def _at_noon(freeze):
    freeze(NOW)


def forged(secret=SECRET, algorithm="HS256", kid="test-1", **changes):
    """The claims of a good token, changed, and signed anew."""
    claims = jwt.decode(mint(CLAIMS), options={"verify_signature": False})
    body = {name: value for name, value in (claims | changes).items() if value is not ...}
    return jwt.encode(body, secret, algorithm=algorithm, headers={"kid": kid})


def test_what_is_minted_is_verified():
    assert verify(mint(CLAIMS)) == CLAIMS
    assert verify(forged()) == CLAIMS


def test_a_token_with_a_long_destination_still_fits_one_kilobyte_and_a_longer_one_is_not_made():
    assert len(mint(replace(CLAIMS, destination="/" + "p" * 150, request_id="r" * 64))) <= MAX_BYTES

    with pytest.raises(ValueError, match="too long"):
        mint(replace(CLAIMS, destination="/" + "p" * 400))


def test_a_token_lives_thirty_days(freeze):
    token = mint(CLAIMS)

    freeze(NOW + timedelta(days=30) - timedelta(seconds=1))
    assert verify(token) == CLAIMS
    freeze(NOW + timedelta(days=30))
    with pytest.raises(BadToken):
        verify(token)


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "another-secret-of-more-than-32-characters"},
        {"algorithm": "HS512"},
        {"algorithm": "none", "secret": None},
        {"kid": "test-2"},
        {"iss": "packfinderz"},
        {"aud": "packfinderz-api"},
        {"ver": 2},
        {"ver": ...},
        {"exp": ...},
        {"iat": int(NOW.timestamp()) + 60},
        {"jti": "not-an-id"},
        {"ad": ...},
        {"buyer": None},
        {"event": "purchase"},
        {"placement": "popup"},
        {"target_type": "user"},
        {"bid": 0},
        {"at": -1},
        {"at": 10**17},
        {"destination": "https://elsewhere.example"},
        {"surprise": 1},
        {"request": "r" * 900},
    ],
    ids=str,
)
def test_a_token_with_any_flaw_is_refused(changes):
    with pytest.raises(BadToken):
        verify(forged(**changes))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "." * 900, "é" * 20, "\x00", "[" * 1_000, "x" * 5_000])
def test_what_is_no_token_is_refused(token):
    with pytest.raises(BadToken):
        verify(token)


def test_access_tokens_and_ad_tokens_do_not_pass_for_each_other():
    access = auth.signer().sign({"sub": str(uuid4()), "sid": "s"}, ttl_s=60)

    with pytest.raises(BadToken):
        verify(access)
    with pytest.raises(BadToken):
        auth.read_access_token(mint(CLAIMS))


def test_keys_rotate_and_weak_ones_stop_the_start(monkeypatch):
    token = mint(CLAIMS)

    try:
        monkeypatch.setenv("PF_ADS_TOKEN_KEYS", f"test-2:{'n' * 32},test-1:{SECRET}")
        AdTokenSettings.forget()
        assert verify(token) == verify(mint(CLAIMS)) == CLAIMS
        assert jwt.get_unverified_header(mint(CLAIMS))["kid"] == "test-2"

        monkeypatch.setenv("PF_ADS_TOKEN_KEYS", "test-1:short")
        AdTokenSettings.forget()
        with pytest.raises(SettingMissing, match="PF_ADS_TOKEN_KEYS"):
            verify(token)
    finally:
        monkeypatch.undo()
        AdTokenSettings.forget()


def test_milliseconds_survive_and_less_does_not():
    assert verify(mint(replace(CLAIMS, occurred_at=NOW.replace(microsecond=123_456)))).occurred_at == NOW
    assert clock.now() == NOW

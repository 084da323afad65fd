"""Signed claims: JWT with HS256 and rotating keys, and nothing but that."""

from dataclasses import dataclass
from typing import Any

from shared.kit import clock
from shared.kit.errors import Unauthorized

ALGORITHM = "HS256"
LEEWAY_S = 5


class BadToken(Unauthorized):
    reason = "token"
    default_message = "The token is missing, malformed, expired or revoked."


def parse_keys(setting: str) -> dict[str, str]:
    """Keys from `kid:secret,kid:secret`, the first of which signs. Raises ValueError on a weak or odd entry."""
    entries = [entry.strip().partition(":") for entry in setting.split(",")]
    keys = {kid: secret for kid, _, secret in entries}
    if len(keys) < len(entries) or any(not kid or len(secret) < 32 for kid, secret in keys.items()):
        raise ValueError("expected kid:secret pairs, each kid once, with secrets of 32 characters or more")
    return keys


@dataclass(frozen=True)
class Signer:
    """Signs and verifies claims for one issuer and audience; the first key signs, all are accepted."""

    keys: dict[str, str]
    issuer: str
    audience: str

    def sign(self, claims: dict[str, Any], *, ttl_s: int) -> str:
        """A token that carries `claims` and lives `ttl_s` seconds."""
        import jwt

        kid, secret = next(iter(self.keys.items()))
        issued_at = int(clock.now().timestamp())
        body = {
            **claims,
            "iss": self.issuer,
            "aud": self.audience,
            "iat": issued_at,
            "exp": issued_at + ttl_s,
        }
        return jwt.encode(body, secret, algorithm=ALGORITHM, headers={"kid": kid})

    def verify(self, token: str) -> dict[str, Any]:
        """The claims within. Raises BadToken for any flaw: key, algorithm, issuer, audience, age or shape."""
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            secret = self.keys[str(header.get("kid"))]
            claims: dict[str, Any] = jwt.decode(
                token,
                secret,
                algorithms=[ALGORITHM],
                issuer=self.issuer,
                audience=self.audience,
                options={"require": ["exp", "iat"], "verify_exp": False, "verify_iat": False},
            )
            expires_at, issued_at = int(claims["exp"]), int(claims["iat"])
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, UnicodeError) as error:
            raise BadToken from error
        # Our clock, not the library's, so that tests can move time.
        moment = clock.now().timestamp()
        if moment >= expires_at or issued_at > moment + LEEWAY_S:
            raise BadToken
        return claims

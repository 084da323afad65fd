"""Refresh tokens: opaque to everybody else, `<session id>.<secret>`; only a digest of the secret is kept.

The successor of a token is computed from its digest and a key of ours. So a request that is repeated
because its reply was lost gets the same successor, and nothing that could be stolen is kept for it.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from shared.kit.auth import signer
from shared.kit.tokens import BadToken

_FORM = re.compile(r"(?P<sid>[0-9a-f]{32})\.(?P<secret>[A-Za-z0-9_-]{43})")
_PURPOSE = b"successor of a refresh token"


@dataclass(frozen=True)
class RefreshToken:
    """A token of the session `sid`; whoever holds `secret` may carry the session on."""

    sid: str
    secret: str

    @classmethod
    def read(cls, text: str | None) -> Self:
        """The token that a caller sent. Raises BadToken for anything that never was one."""
        match = _FORM.fullmatch(text or "")
        if match is None:
            raise BadToken
        return cls(match["sid"], match["secret"])

    @classmethod
    def fresh(cls, sid: str) -> Self:
        """The first token of a session."""
        return cls(sid, secrets.token_urlsafe(32))

    def __str__(self) -> str:
        return f"{self.sid}.{self.secret}"

    @property
    def digest(self) -> str:
        """What is kept of the token: 256 random bits need no slow hash."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


def successor(sid: str, digest: str) -> RefreshToken:
    """The token that follows the one with this digest."""
    return next(_successors(sid, digest))


def recall_successor(sid: str, digest: str, successor_digest: str) -> RefreshToken:
    """The same once more, even if another key signs by now. Raises BadToken when its key is gone."""
    for token in _successors(sid, digest):
        if hmac.compare_digest(token.digest, successor_digest):
            return token
    raise BadToken


def _successors(sid: str, digest: str) -> Iterator[RefreshToken]:
    for key in signer().keys.values():
        derived = hmac.digest(key.encode(), _PURPOSE, "sha256")
        secret = hmac.digest(derived, f"{sid}.{digest}".encode(), "sha256")
        yield RefreshToken(sid, urlsafe_b64encode(secret).decode().rstrip("="))

"""Secrets of people that we have to read again ourselves: kept encrypted, each bound to its owner.

AES-256-GCM (NIST SP 800-38D). The owner's id is authenticated with the text, so that a row's secret is
worth nothing in another row. Written `<kid>.<nonce and ciphertext, base64url>`.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import field_validator

from shared.kit.config import Settings
from shared.kit.tokens import parse_keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_PURPOSE = b"sealing of a second factor"


class SealingSettings(Settings):
    """`mfa_keys` is `kid:secret,kid:secret`; the first seals, all unseal."""

    mfa_keys: str

    @field_validator("mfa_keys")
    @classmethod
    def _usable(cls, value: str) -> str:
        parse_keys(value)
        return value


class CannotUnseal(Exception):
    """The key that sealed this is gone, or the text is another owner's or was altered."""


def seal(text: str, *, owner_id: UUID) -> str:
    """The text as it may be kept."""
    kid = present_kid()
    key = _keys()[kid]
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = nonce + _cipher(key).encrypt(nonce, text.encode(), owner_id.bytes)
    return f"{kid}.{urlsafe_b64encode(sealed).decode()}"


def unseal(sealed: str, *, owner_id: UUID) -> str:
    """The text that was sealed for this owner. Raises CannotUnseal."""
    from cryptography.exceptions import InvalidTag

    kid, _, encoded = sealed.rpartition(".")
    try:
        bytes_ = urlsafe_b64decode(encoded)
        cipher = _cipher(_keys()[kid])
        return cipher.decrypt(bytes_[:_NONCE_BYTES], bytes_[_NONCE_BYTES:], owner_id.bytes).decode()
    except (KeyError, ValueError, InvalidTag) as error:
        raise CannotUnseal from error


def is_outdated(sealed: str) -> bool:
    """Whether another key than the present one sealed this."""
    return sealed.rpartition(".")[0] != present_kid()


def present_kid() -> str:
    """The id of the key that seals."""
    return next(iter(_keys()))


def _keys() -> dict[str, str]:
    return parse_keys(SealingSettings.current().mfa_keys)


def _cipher(key: str) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(hmac.digest(key.encode(), _PURPOSE, "sha256"))

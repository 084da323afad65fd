"""Passwords: how they are kept, how they are checked, and what a new one must be.

Kept as Argon2id with OWASP's floor as the default cost (Password Storage Cheat Sheet: 19 MiB, two
passes, one lane). The rules for new ones are those of NIST SP 800-63B: length and a blocklist,
no composition rules.
"""

import base64
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import Field, SecretStr

from shared.kit.config import Settings
from shared.kit.errors import DependencyDown, InvalidRequest

MIN_LENGTH = 12
_SALT_BYTES = 16
_HASH_BYTES = 32
_M_MMAP_THRESHOLD = -3
_MIB = 1024 * 1024
_COMMON = Path(__file__).with_name("common_passwords.txt")
# Without letters and digits that are mistaken for each other when read aloud or copied by hand.
_LEGIBLE = "abcdefghjkmnpqrstuvwxyz23456789"


class PasswordSettings(Settings):
    """Argon2id's cost. At most `argon2_concurrency` hashes are computed at once, so that
    they fit the function's memory; who waits longer than `argon2_wait_s` seconds is turned away.
    """

    argon2_memory_kib: int = Field(default=19_456, ge=8)
    argon2_passes: int = Field(default=2, ge=1)
    argon2_lanes: int = Field(default=1, ge=1)
    argon2_concurrency: int = Field(default=4, ge=1)
    argon2_wait_s: float = Field(default=5.0, gt=0)


def hash_of(password: SecretStr) -> str:
    """The text to keep for a password. Raises DependencyDown when too many are being worked on."""
    with _turn():
        return _hasher(PasswordSettings.current()).hash(_normal(password))


def matches(kept: str | None, password: SecretStr) -> bool:
    """Whether this is the password of a kept hash. Without one it costs the same time and is false.

    Raises DependencyDown when too many are being worked on.
    """
    settings = PasswordSettings.current()
    with _turn():
        try:
            return _hasher(settings).verify(kept or _nobodys_hash(settings), _normal(password))
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(kept: str) -> bool:
    """Whether a hash was made at another cost than the settings ask for."""
    return _hasher(PasswordSettings.current()).check_needs_rehash(kept)


def refuse_weak(password: SecretStr, *, email: str, field: str = "password") -> None:
    """Raises InvalidRequest for a new password that is short, common, or the email itself."""
    folded = _normal(password).casefold()
    if len(folded) < MIN_LENGTH:
        raise InvalidRequest.field(field, f"Use {MIN_LENGTH} characters or more.")
    if folded == email.casefold():
        raise InvalidRequest.field(field, "Your email cannot be your password.")
    if folded in _common():
        raise InvalidRequest.field(field, "This password is too common.")


def temporary() -> SecretStr:
    """A random password for someone to type once: four groups of four, 79 bits."""
    groups = ("".join(secrets.choice(_LEGIBLE) for _ in range(4)) for _ in range(4))
    return SecretStr("-".join(groups))


def _normal(password: SecretStr) -> str:
    """The same text however a keyboard composes it (NFKC, as SP 800-63B advises)."""
    return unicodedata.normalize("NFKC", password.get_secret_value())


@lru_cache(maxsize=4)
def _hasher(settings: PasswordSettings) -> PasswordHasher:
    _give_memory_back()
    return PasswordHasher(
        time_cost=settings.argon2_passes,
        memory_cost=settings.argon2_memory_kib,
        parallelism=settings.argon2_lanes,
        hash_len=_HASH_BYTES,
        salt_len=_SALT_BYTES,
    )


def _give_memory_back() -> None:
    """Let the system have the memory of a hash again as soon as it is done (mallopt(3), M_MMAP_THRESHOLD).

    glibc otherwise learns from the first hash to keep such blocks, one for each thread that ever worked on one, so
    that bounding the hashes at once would bound nothing. Other C libraries have no such habit and no such function.
    """
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MIB)


@lru_cache(maxsize=4)
def _nobodys_hash(settings: PasswordSettings) -> str:
    """A hash at the present cost that no password has."""
    cost = f"m={settings.argon2_memory_kib},t={settings.argon2_passes},p={settings.argon2_lanes}"
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=") for length in (_SALT_BYTES, _HASH_BYTES)
    )
    return f"$argon2id$v=19${cost}${salt}${digest}"


_making_turns = threading.Lock()
"""Of two who come first at the same moment, each would otherwise make turns of their own."""


@lru_cache(maxsize=1)
def _turns(concurrency: int) -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(concurrency)


@contextmanager
def _turn() -> Iterator[None]:
    settings = PasswordSettings.current()
    with _making_turns:
        turns = _turns(settings.argon2_concurrency)
    if not turns.acquire(timeout=settings.argon2_wait_s):
        raise DependencyDown("Too many sign-ins at once; try again shortly.")
    try:
        yield
    finally:
        turns.release()


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    """Passwords that guessers try first, lower case: repeated words, keyboard runs, words with years."""
    return frozenset(_COMMON.read_text().split())

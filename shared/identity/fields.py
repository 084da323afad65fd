"""Kinds of fields that people fill in about themselves and their stores."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, EmailStr, Field, SecretStr, StringConstraints

from shared.kit.schemas import PRINTABLE

PersonName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
CompanyName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
CredentialNumber = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
AddressLine = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=5_000)]
Phone = Annotated[
    str,
    StringConstraints(pattern=r"^\+[1-9][0-9]{7,14}$"),
    Field(description="E.164, such as +14055550100", examples=["+14055550100"]),
]


def _bare_and_ascii(value: Any) -> Any:
    """Only one way to write an address, so that limits counted by it cannot be dodged by another spelling."""
    if isinstance(value, str) and ("<" in value or not value.isascii()):
        raise ValueError("value is not a plain email address")
    return value


Email = Annotated[EmailStr, BeforeValidator(_bare_and_ascii), Field(max_length=254)]


def _verbatim(value: Any) -> Any:
    """A password is what was typed, spaces included."""
    if isinstance(value, str):
        value.encode()  # raises ValueError for half of a surrogate pair
        return SecretStr(value)
    return value


def _not_empty(value: SecretStr) -> SecretStr:
    if not value.get_secret_value():
        raise ValueError("must not be empty")
    return value


Password = Annotated[SecretStr, BeforeValidator(_verbatim), AfterValidator(_not_empty), Field(max_length=200)]

MfaCode = Annotated[
    SecretStr,
    BeforeValidator(_verbatim),
    Field(min_length=6, max_length=24, description="Six digits of an authenticator app, or a backup code"),
]

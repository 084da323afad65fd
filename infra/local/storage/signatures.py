"""Verifies V4 signatures in query strings, as Cloud Storage does.

The rules: https://cloud.google.com/storage/docs/authentication/canonical-requests and
https://cloud.google.com/storage/docs/authentication/signatures.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from infra.local.storage.refusals import Refused, malformed

ALGORITHM = "GOOG4-RSA-SHA256"
MAX_LIFETIME = timedelta(days=7)
_SKEW = timedelta(minutes=15)
_SIGNATURE = "X-Goog-Signature"
_DATE_FORMAT = "%Y%m%dT%H%M%SZ"

Signers = Mapping[str, rsa.RSAPublicKey]
"""The public keys of those whose signatures count, by email."""


@dataclass(frozen=True)
class SignedRequest:
    """A request as it came: the target is path and query as sent, header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def is_signed(self) -> bool:
        return _SIGNATURE in self.parameters


def verify(request: SignedRequest, signers: Signers, *, now: datetime) -> None:
    """Raises Refused unless a known signer signed this very request and the signature has not expired."""
    parameters = request.parameters
    if _parameter(parameters, "X-Goog-Algorithm") != ALGORITHM:
        raise malformed("X-Goog-Algorithm", f"Only {ALGORITHM} is understood here.")
    email, _, scope = _parameter(parameters, "X-Goog-Credential").partition("/")
    issued_at = _issued_at(parameters)
    if scope != f"{issued_at:%Y%m%d}/auto/storage/goog4_request":
        raise malformed("X-Goog-Credential", "The credential's scope does not fit the date and the service.")
    _refuse_outside_lifetime(parameters, issued_at, now)
    to_sign = "\n".join(
        (ALGORITHM, f"{issued_at:{_DATE_FORMAT}}", scope, _digest(_canonical(request, _signed_headers(request))))
    )
    _refuse_another_signature(signers.get(email), parameters[_SIGNATURE], to_sign)


def _parameter(parameters: Mapping[str, str], name: str) -> str:
    try:
        return parameters[name]
    except KeyError:
        raise malformed(name, "A signed URL needs this parameter.") from None


def _issued_at(parameters: Mapping[str, str]) -> datetime:
    try:
        return datetime.strptime(_parameter(parameters, "X-Goog-Date"), _DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise malformed("X-Goog-Date", "The date is not of the form YYYYMMDD'T'HHMMSS'Z'.") from None


def _refuse_outside_lifetime(parameters: Mapping[str, str], issued_at: datetime, now: datetime) -> None:
    told = _parameter(parameters, "X-Goog-Expires")
    if not told.isdecimal() or timedelta(seconds=int(told)) > MAX_LIFETIME:
        raise malformed("X-Goog-Expires", "The lifetime is not a number of seconds up to seven days.")
    if issued_at > now + _SKEW:
        raise Refused(HTTPStatus.FORBIDDEN, "RequestTimeTooSkewed", "The signature was made in the future.")
    expires_at = issued_at + timedelta(seconds=int(told))
    if now >= expires_at:
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            "ExpiredToken",
            "The provided token has expired.",
            details=f"Request signature expired at: {expires_at.isoformat()}",
        )


def _signed_headers(request: SignedRequest) -> dict[str, str]:
    """The headers that the signature covers. Every header of Google's own must be among them."""
    names = _parameter(request.parameters, "X-Goog-SignedHeaders").split(";")
    if "host" not in names:
        raise malformed("host", "Header was not included in signedheaders.")
    for name in names:
        if name not in request.headers:
            raise malformed(name, "Header was included in signedheaders, but not in the request.")
    for name in request.headers:
        if name.startswith("x-goog-") and name not in names:
            raise malformed(name, "Header was not included in signedheaders.")
    return {name: " ".join(request.headers[name].split()) for name in sorted(names)}


def _canonical(request: SignedRequest, signed: Mapping[str, str]) -> str:
    parameters = request.parameters
    told = (f"{quote(name, safe='~')}={quote(parameters[name], safe='~')}" for name in parameters if name != _SIGNATURE)
    return "\n".join(
        (
            request.method,
            quote(unquote(request.path), safe="/~"),
            "&".join(sorted(told)),
            *(f"{name}:{value}" for name, value in signed.items()),
            "",
            ";".join(signed),
            signed.get("x-goog-content-sha256", "UNSIGNED-PAYLOAD"),
        )
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_another_signature(key: rsa.RSAPublicKey | None, signature: str, to_sign: str) -> None:
    try:
        if key is not None:
            key.verify(bytes.fromhex(signature), to_sign.encode(), padding.PKCS1v15(), hashes.SHA256())
            return
    except (ValueError, InvalidSignature):
        pass
    raise Refused(
        HTTPStatus.FORBIDDEN,
        "SignatureDoesNotMatch",
        "Access denied.",
        details="The request signature we calculated does not match the signature you provided. "
        "Check your Google secret key and signing method.",
    )

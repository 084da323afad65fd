"""What a request says of itself, before anything is believed."""

import json
import math
import re
from typing import Any

from flask import Request as FlaskRequest
from pydantic import Field

from shared.kit.auth import Claims, read_access_token
from shared.kit.config import Settings
from shared.kit.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType
from shared.kit.http.bodies import JSON, Body
from shared.kit.tokens import BadToken

# An escaped U+0000, as opposed to an escaped backslash before the letters u0000.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class ProxySettings(Settings):
    """How many proxies of ours stand before a function and append to X-Forwarded-For."""

    trusted_proxies: int = Field(default=1, ge=0)


class Asked:
    """One request: its headers, its address, its body, and the verified claims of its token."""

    def __init__(self, request: FlaskRequest, takes: Body = JSON) -> None:
        self.request = request
        self.takes = takes
        self.claims: Claims | None = None
        self._raw: bytes | None = None

    def header(self, name: str) -> str | None:
        return self.request.headers.get(name)

    @property
    def bearer(self) -> str | None:
        """The access token of `Authorization: Bearer …`."""
        scheme, _, token = (self.header("Authorization") or "").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None

    @property
    def user(self) -> str | None:
        return self.claims.user_id if self.claims else None

    @property
    def named_user(self) -> str | None:
        """Whom a valid token names, whether or not the session lives and the route asks: to count by, not to trust."""
        if self.claims is None and self.bearer is not None:
            try:
                return read_access_token(self.bearer).user_id
            except BadToken:
                return None
        return self.user

    @property
    def store(self) -> str | None:
        return self.claims.store_id if self.claims else None

    @property
    def address(self) -> str:
        """The client's address: the right-most entry of X-Forwarded-For that none of our proxies wrote."""
        hops = [hop.strip() for hop in (self.header("X-Forwarded-For") or "").split(",") if hop.strip()]
        ours = ProxySettings.current().trusted_proxies
        if ours and len(hops) >= ours:
            return hops[-ours]
        return self.request.remote_addr or "unknown"

    @property
    def raw(self) -> bytes:
        """The body's bytes, once. Raises PayloadTooLarge over what the route takes."""
        if self._raw is None:
            most = self.takes.max_bytes
            too_large = PayloadTooLarge(f"The body is larger than {self.takes.max_mib} MiB.")
            if (self.request.content_length or 0) > most:
                raise too_large
            read = self.request.stream.read(most + 1)
            if len(read) > most:
                raise too_large
            self._raw = read
        return self._raw

    @property
    def file(self) -> bytes:
        """The body's bytes, of the content type that the route takes. Raises UnsupportedMediaType, PayloadTooLarge."""
        if self.request.mimetype != self.takes.content_type:
            raise UnsupportedMediaType(f"Send the body as {self.takes.content_type}.")
        return self.raw

    def json(self) -> Any:
        """The body as JSON, in UTF-8. Raises UnsupportedMediaType, InvalidRequest, PayloadTooLarge."""
        try:
            text = self.file.decode()
            value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise InvalidRequest("The body is not valid JSON in UTF-8.") from error
        if "\\u" in text:
            _refuse_what_cannot_be_kept(text, value)
        return value

    def field(self, name: str) -> str:
        """A text field of the body for counting limits; empty when there is none such."""
        try:
            body = json.loads(self.raw.decode())
        except (ValueError, RecursionError):
            return ""
        value = body.get(name) if isinstance(body, dict) else None
        return value if isinstance(value, str) else ""

    @property
    def writes(self) -> bool:
        return self.request.method not in {"GET", "HEAD", "OPTIONS"}

    @property
    def identity(self) -> bytes:
        """Everything that makes two requests the same request."""
        head = f"{self.request.method} {self.request.full_path} {self.request.mimetype}\n"
        return head.encode() + self.raw


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("a number that is too large")
    return value


def _refuse_what_cannot_be_kept(text: str, value: Any) -> None:
    """PostgreSQL stores neither this character nor half of a surrogate pair, wherever in the body they stand."""
    if _NUL.search(text):
        raise InvalidRequest("The body may not contain the character U+0000.")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidRequest("The body may not contain half of a surrogate pair.") from error

"""Envelopes: `{"data": …}` for success, lists with their page, and `{"error": …}` for the rest."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from flask import Response as FlaskResponse
from pydantic import BaseModel
from pydantic_core import ErrorDetails, to_json

from shared.kit.context import work
from shared.kit.errors import ApiError, InvalidRequest
from shared.kit.idempotency import Stored
from shared.kit.schemas import Page, sentence

Data = TypeVar("Data")
JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Reply(Generic[Data]):
    """An answer that differs from the route's usual one in status or headers."""

    data: Data
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Download:
    """A body that is not JSON: a file, sent piece by piece when `pieces` is an iterator."""

    pieces: Iterable[bytes]
    content_type: str
    file_name: str | None = None


@dataclass(frozen=True)
class Redirect:
    """`302` to another address."""

    location: str


def success(result: Any, *, status: int) -> FlaskResponse:
    """The response for what a route returned; nothing is `204`."""
    headers: Mapping[str, str] = {}
    if isinstance(result, Reply):
        status, headers, result = result.status or status, result.headers, result.data
    if isinstance(result, Redirect):
        response = FlaskResponse(status=302, headers={"Location": result.location})
    elif isinstance(result, Download):
        response = _download(result)
    elif result is None:
        response = FlaskResponse(status=204 if status == 200 else status)
    else:
        response = FlaskResponse(body_of(result), status=status, content_type=JSON_TYPE)
    response.headers.extend(headers)
    return response


def body_of(result: Any) -> bytes:
    """The JSON body of a result: a model, anything JSON can say, or a page of either."""
    if not isinstance(result, Page):
        return b'{"data":' + _json(result) + b"}"
    page: dict[str, Any] = {"limit": result.limit, "next": result.next, "prev": result.prev}
    total = b"" if result.total is None else b',"total":' + str(result.total).encode()
    totals = b"" if result.totals is None else b',"totals":' + _json(result.totals)
    facets = b"" if result.facets is None else b',"facets":' + _json(result.facets)
    items = b",".join(_json(item) for item in result.items)
    return b'{"data":[' + items + b'],"page":' + _json(page) + total + totals + facets + b"}"


def _json(value: Any) -> bytes:
    return value.__pydantic_serializer__.to_json(value) if isinstance(value, BaseModel) else to_json(value)


def _download(result: Download) -> FlaskResponse:
    response = FlaskResponse(_pieces(result.pieces), content_type=result.content_type)
    if result.file_name:
        response.headers.set("Content-Disposition", "attachment", filename=result.file_name)
    return response


def _pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield from pieces


def failure(error: ApiError) -> FlaskResponse:
    """The response for an error; it says nothing that the error does not."""
    told: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details is not None:
        told["details"] = error.details
    told["request_id"] = work().request_id
    response = FlaskResponse(json.dumps({"error": told}, default=str), status=error.status, content_type=JSON_TYPE)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def replayed(stored: Stored) -> FlaskResponse:
    """The very answer that was given before."""
    response = FlaskResponse(stored.body, status=stored.status, content_type=stored.content_type)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def to_store(response: FlaskResponse) -> Stored:
    """What is kept of an answer, to be sent again."""
    return Stored(response.status_code, response.content_type or JSON_TYPE, response.get_data(as_text=True))


def invalid(errors: list[ErrorDetails]) -> InvalidRequest:
    """Pydantic's findings as the conventions' list of fields."""
    fields = [{"path": _path(found["loc"]), "message": sentence(found)} for found in errors]
    return InvalidRequest(details={"fields": fields})


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path

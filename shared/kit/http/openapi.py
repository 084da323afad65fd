"""The OpenAPI 3.1 document of a function, made from the very routes and models that serve its requests.

flask-openapi3 knows the format; it is given one empty view per route and never serves anything.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from types import GenericAlias
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, create_model

from shared.kit import errors
from shared.kit.errors import ApiError
from shared.kit.http.answers import Download, Redirect, Reply
from shared.kit.http.routes import Route
from shared.kit.schemas import Page

Document = dict[str, Any]

_ALWAYS = (errors.RateLimitExceeded, errors.DependencyDown, errors.InternalError)


class ErrorBody(BaseModel):
    """What went wrong; `details` is an object that the caller may act on."""

    code: str
    message: str
    details: dict[str, Any] | None = None
    request_id: str


class ErrorEnvelope(BaseModel):
    error: ErrorBody


class PageBody(BaseModel):
    """Where a list goes on: cursors for the pages around this one."""

    limit: int
    next: str | None
    prev: str | None


class IdempotencyHeader(BaseModel):
    idempotency_key: str = Field(alias="Idempotency-Key", min_length=1, max_length=255, pattern="^[ -~]+$")


def document(name: str, routes: Sequence[Route]) -> Document:
    """The document of function `name`."""
    from flask_openapi3.models.info import Info
    from flask_openapi3.openapi import OpenAPI

    app = OpenAPI(
        name,
        info=Info(title=f"PackFinderz: {name}", version="1"),
        validation_error_status=errors.InvalidRequest.status,
        validation_error_model=ErrorEnvelope,
        security_schemes={"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    )
    for route in routes:
        register = getattr(app, route.method.lower())
        register(
            route.path,
            summary=route.summary,
            responses=_responses(route),
            security=[{"bearer": []}] if route.guard.needs_session else None,
            openapi_extensions={"x-permission": route.guard.label},
            operation_id=f"{route.name.removeprefix('functions.').replace('.main.', '.')}.{route.method.lower()}",
        )(_empty_view(route))
    told: Document = json.loads(json.dumps(app.api_doc))
    for route in routes:
        _complete(told["paths"][_uri(route)][route.method.lower()], route)
    return told


def merged(documents: Iterable[Document]) -> Document:
    """One document of several functions; schemas of one name are told apart by their function."""
    whole: Document = {"openapi": "3.1.0", "info": {"title": "PackFinderz", "version": "1"}, "paths": {}}
    schemas: Document = {}
    for each in documents:
        owner = each["info"]["title"].removeprefix("PackFinderz: ").title().replace("_", "").replace("-", "")
        renamed = json.loads(json.dumps(each).replace("#/components/schemas/", f"#/components/schemas/{owner}."))
        whole["paths"] |= renamed["paths"]
        schemas |= {f"{owner}.{key}": schema for key, schema in renamed["components"].get("schemas", {}).items()}
        whole.setdefault("components", {})["securitySchemes"] = renamed["components"]["securitySchemes"]
    whole["components"]["schemas"] = schemas
    return whole


def error_codes(route: Route) -> list[type[ApiError]]:
    """Every error that a route can answer, by what it declares and what is done around it."""
    told: list[type[ApiError]] = [*_ALWAYS, errors.InvalidRequest, *route.raises]
    if route.guard.needs_session:
        told += [errors.Unauthorized, errors.Forbidden]
    if route.body is not None or route.wants_file:
        told += [errors.PayloadTooLarge, errors.UnsupportedMediaType]
    if route.idempotent_s is not None:
        told += [errors.IdempotencyKeyRequired, errors.IdempotencyKeyReused, errors.IdempotencyInProgress]
    return sorted(set(told), key=lambda error: (error.status, error.code))


def _responses(route: Route) -> dict[int, Any]:
    responses: dict[int, Any] = {error.status: ErrorEnvelope for error in error_codes(route)}
    told = _success(route)
    responses[route.status if route.returns is not type(None) else 204] = told
    return responses if route.or_status is None else responses | {route.or_status: told}


def _success(route: Route) -> Any:
    returns = route.returns
    if get_origin(returns) is Reply:
        (returns,) = get_args(returns)
    if returns is type(None):
        return None
    if returns in (Download, Redirect):
        return {"description": "A file" if returns is Download else "A redirect"}
    # Two parts of a function may each have a handler of this name.
    words = f"{route.handler.__module__.rpartition('.')[2]}_{route.handler.__name__}".split("_")
    title = "".join(word.title() for word in words)
    if get_origin(returns) is Page:
        items: Any = GenericAlias(list, get_args(returns))
        return create_model(f"{title}Page", data=(items, ...), page=(PageBody, ...), total=(int | None, None))
    return create_model(f"{title}Envelope", data=(returns, ...))


def _empty_view(route: Route) -> Callable[..., None]:
    """A function with the signature that flask-openapi3 reads."""

    def view(**_: Any) -> None:
        raise AssertionError("documentation only")

    view.__name__ = f"{route.name}_{route.method}".replace(".", "_")
    view.__doc__ = route.handler.__doc__
    hints = get_type_hints(route.handler)
    variables = {name: (hints[name], ...) for name in hints if f":{name}>" in route.path or f"<{name}>" in route.path}
    annotations: dict[str, Any] = {}
    if variables:
        annotations["path"] = create_model("PathVariables", **variables)  # type: ignore[call-overload]  # made at run time
    if route.query is not None:
        annotations["query"] = route.query
    if route.body is not None:
        annotations["body"] = route.body
    if route.idempotent_s is not None:
        annotations["header"] = IdempotencyHeader
    view.__annotations__ = annotations
    return view


def _complete(operation: Document, route: Route) -> None:
    """Name the error codes of each status, and show the body's example beside its schema, or the file's."""
    codes: dict[str, list[str]] = {}
    for error in error_codes(route):
        codes.setdefault(str(error.status), []).append(error.code)
    for status, named in codes.items():
        operation["responses"][status]["description"] = ", ".join(named)
    if route.body is not None:
        operation["requestBody"]["content"]["application/json"]["example"] = route.body.example
    if route.wants_file:
        told = {"schema": {"type": "string"}, "example": route.takes.example}
        most = f"At most {route.takes.max_mib} MiB."
        content = {route.takes.content_type: told}
        operation["requestBody"] = {"required": True, "description": most, "content": content}


def _uri(route: Route) -> str:
    return re.sub(r"<([^<:]+:)?", "{", route.path).replace(">", "}")

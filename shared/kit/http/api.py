"""Routes as functions: the decorator says who may call and how often, the signature says what is known.

A route's function receives, by its annotations:
  - first, the caller that the guard admitted (nothing for a guard that admits strangers);
  - path variables, by name;
  - `body`, a `Request`; `query`, a `Query`; `asked`, the bare request; `file`, the body's bytes of the
    content type and up to the size that `takes` says, when it wants them.
It returns a `Response`, a `Page`, a `Reply`, anything JSON can say, or None for `204`. A route whose `Reply`
may have another status than `status` says which by `or_status`.
"""

from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

from flask import Flask
from flask import Request as FlaskRequest
from werkzeug.wrappers import Response as WerkzeugResponse

from shared.kit import startup
from shared.kit.db import check_database
from shared.kit.errors import ApiError
from shared.kit.health import Check, Health
from shared.kit.http.asked import Asked
from shared.kit.http.bodies import JSON, Body
from shared.kit.http.guards import Guard
from shared.kit.http.routes import Route, Target
from shared.kit.http.serving import application
from shared.kit.limits import EVERYTHING_ELSE, Limit
from shared.kit.redis import check_redis
from shared.kit.schemas import Query, Request

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Api:
    """A group of routes under one prefix. `name` is the function (or the part of one) that serves it."""

    def __init__(self, name: str, *, prefix: str) -> None:
        self.name = name
        self.prefix = prefix
        self.routes: list[Route] = []

    def get(self, path: str = "", *, allow: Guard, **rules: Any) -> Callable[[Handler], Handler]:
        """Register a read."""
        return self._route("GET", path, allow=allow, **rules)

    def post(self, path: str = "", *, allow: Guard, **rules: Any) -> Callable[[Handler], Handler]:
        """Register a POST. `idempotent` is how long answers are kept, in seconds; None exempts the route."""
        if "idempotent" not in rules:
            raise TypeError(f"POST {self.prefix}{path} must say `idempotent=`")
        return self._route("POST", path, allow=allow, **rules)

    def put(self, path: str = "", *, allow: Guard, **rules: Any) -> Callable[[Handler], Handler]:
        """Register a PUT, which sets a thing to a state and so repeats harmlessly."""
        return self._route("PUT", path, allow=allow, **rules)

    def patch(self, path: str = "", *, allow: Guard, **rules: Any) -> Callable[[Handler], Handler]:
        """Register a PATCH."""
        return self._route("PATCH", path, allow=allow, **rules)

    def delete(self, path: str = "", *, allow: Guard, **rules: Any) -> Callable[[Handler], Handler]:
        """Register a DELETE."""
        return self._route("DELETE", path, allow=allow, **rules)

    def _route(
        self,
        method: str,
        path: str,
        *,
        allow: Guard,
        status: int = 200,
        or_status: int | None = None,
        idempotent: int | None = None,
        limit: Limit | tuple[Limit, ...] = EVERYTHING_ELSE,
        raises: tuple[type[ApiError], ...] = (),
        takes: Body = JSON,
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            hints = get_type_hints(handler)
            self.routes.append(
                Route(
                    method=method,
                    path=self.prefix + path,
                    guard=allow,
                    handler=handler,
                    status=status,
                    or_status=or_status,
                    idempotent_s=idempotent,
                    limits=limit if isinstance(limit, tuple) else (limit,),
                    raises=raises,
                    body=_subclass(hints.get("body"), Request),
                    query=_subclass(hints.get("query"), Query),
                    takes=takes,
                    wants_asked=hints.get("asked") is Asked,
                    wants_file=hints.get("file") is bytes,
                    returns=hints.get("return"),
                )
            )
            return handler

        return register

    def entry_point(self, **uses: Check | None) -> Target:
        """The target of a function that serves this group alone; see `serve`."""
        return serve(self.name, self, **uses)


def serve(name: str, *groups: Api, **uses: Check | None) -> Target:
    """The target that functions-framework serves for function `name`: one Flask application of all groups.

    It is ready when the database, Redis, and what else it `uses` answer; None says that it does not use one of the
    two. Raises SettingMissing when a setting is not usable.
    """
    startup.finish(name)
    routes = [route for group in groups for route in group.routes]
    asked = {"database": check_database, "redis": check_redis, **uses}
    health = Health({name: check for name, check in asked.items() if check is not None})
    return target(application(name, routes, health), routes, health)


def target(app: Flask, routes: list[Route], health: Health) -> Target:
    """Hand whatever functions-framework receives to `app`, kept on the function for the tools that ask."""

    import functions_framework

    # Said outright, because a function with an event trigger would otherwise be taken for another signature.
    @functions_framework.http
    def main(request: FlaskRequest) -> WerkzeugResponse:
        return WerkzeugResponse.from_app(app, request.environ)

    main.app = app  # type: ignore[attr-defined]  # the gateway and the tests reach the application here
    main.routes = routes  # type: ignore[attr-defined]  # and the route catalogue here
    main.health = health  # type: ignore[attr-defined]  # and what it depends on here
    return main


def _subclass(hint: Any, base: type) -> Any:
    return hint if isinstance(hint, type) and issubclass(hint, base) else None

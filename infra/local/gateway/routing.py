"""Which function a path belongs to, and how a request reaches it."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from infra.local.gateway import pages
from infra.local.gateway.loading import Served
from shared.kit.context import accepted_request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Where events and schedules reach the functions that no client calls.
FUNCTIONS_PATH = "/_functions/"


class Gateway:
    """The WSGI application: HTTP functions by the routes of their manifests, the others under /_functions/."""

    def __init__(self, served: Sequence[Served]) -> None:
        self._by_name = {one.name: one for one in served}
        routes = [(route, one) for one in served for route in one.manifest.routes]
        self._routes = sorted(routes, key=lambda entry: len(entry[0]), reverse=True)
        self._pages = pages.Pages(served)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", "/"))
        if path.startswith(FUNCTIONS_PATH):
            name, slash, rest = path.removeprefix(FUNCTIONS_PATH).partition("/")
            inside = {"SCRIPT_NAME": FUNCTIONS_PATH + name, "PATH_INFO": slash + rest or "/"}
            return self._pass_on(self._by_name.get(name), environ | inside, start_response)
        if path in ("/health/live", "/health/ready"):
            return self._health(path)(environ, start_response)
        page = self._pages.find(Request(environ))
        if page is not None:
            return page(environ, start_response)
        return self._pass_on(self.owner_of(path), environ, start_response)

    def owner_of(self, path: str) -> Served | None:
        """The function whose longest prefix, in whole segments, begins this path."""
        return next((one for route, one in self._routes if path == route or path.startswith(f"{route}/")), None)

    def _pass_on(
        self, one: Served | None, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if one is None:
            return _refusal(environ, 404, "NOT_FOUND", "No function serves this path; see / for those that do.")(
                environ, start_response
            )
        if one.app is None:
            sentence = f"Function {one.name} does not start: {one.failure}"
            return _refusal(environ, 503, "DEPENDENCY_ERROR", sentence)(environ, start_response)
        return one.app(_as_behind_a_proxy(environ), start_response)

    def _health(self, path: str) -> Response:
        """What every function says of itself; 503 when one is not well."""
        states = {one.name: _is_well(one, path) for one in self._by_name.values()}
        well = all(states.values())
        told = {"status": "ok" if well else "down", "functions": {n: "ok" if s else "down" for n, s in states.items()}}
        return Response(json.dumps({"data": told}), status=200 if well else 503, content_type="application/json")


def _is_well(one: Served, path: str) -> bool:
    return one.app is not None and Client(one.app).get(path).status_code == 200


def _as_behind_a_proxy(environ: "WSGIEnvironment") -> "WSGIEnvironment":
    """With the client's address at the end of X-Forwarded-For, where functions look for it."""
    given, address = environ.get("HTTP_X_FORWARDED_FOR"), environ.get("REMOTE_ADDR", "127.0.0.1")
    return environ | {"HTTP_X_FORWARDED_FOR": f"{given}, {address}" if given else address}


def _refusal(environ: "WSGIEnvironment", status: int, code: str, message: str) -> Response:
    request_id = accepted_request_id(environ.get("HTTP_X_REQUEST_ID"))
    body = {"error": {"code": code, "message": message, "request_id": request_id}}
    headers = {"X-Request-Id": request_id}
    return Response(json.dumps(body), status=status, headers=headers, content_type="application/json")

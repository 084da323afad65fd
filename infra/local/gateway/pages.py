"""What the gateway itself shows: the functions there are, their OpenAPI document, and that document to read."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from werkzeug.wrappers import Request, Response

from infra.local.gateway.loading import Served

_TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
_KINDS = {
    "http": "Called by clients",
    "topic": "Reacting to events",
    "storage": "Reacting to files",
    "schedule": "On schedule",
}


class Pages:
    """The pages about these functions."""

    def __init__(self, served: Sequence[Served]) -> None:
        self._served = served

    def find(self, request: Request) -> Response | None:
        """The page at this address, if there is one."""
        if request.path == "/":
            return self._index(request)
        if request.path == "/openapi.json":
            return _json(self._document)
        if request.path == "/docs":
            return _html("docs.html")
        return None

    def _index(self, request: Request) -> Response:
        if "text/html" not in request.headers.get("Accept", ""):
            return _json({"data": {"functions": [_told(one) for one in self._served], "docs": "/docs"}})
        groups = [
            (title, [_told(one) for one in self._served if one.manifest.trigger.kind == kind])
            for kind, title in _KINDS.items()
        ]
        return _html("index.html", groups=[group for group in groups if group[1]])

    @cached_property
    def _document(self) -> dict[str, Any]:
        from infra.openapi import routes_of
        from shared.kit.http.openapi import document, merged

        names = [one.name for one in self._served if one.manifest.routes and one.app is not None]
        return merged(document(name, routes_of(name)) for name in names)


def _told(one: Served) -> dict[str, Any]:
    manifest = one.manifest
    return {
        "name": one.name,
        "summary": manifest.summary,
        "trigger": str(manifest.trigger).replace("`", ""),
        "addresses": list(manifest.routes) or [f"/_functions/{one.name}"],
        "failure": one.failure,
    }


def _json(content: Any) -> Response:
    return Response(json.dumps(content), content_type="application/json")


def _html(template: str, **values: Any) -> Response:
    return Response(_TEMPLATES.get_template(template).render(**values), content_type="text/html; charset=utf-8")

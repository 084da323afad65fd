"""The routes that are really served, and a way to call each."""

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from infra.manifest import load_all
from infra.openapi import routes_of
from shared.kit.http import Route
from tests.api import Client

_VARIABLE = re.compile(r"<(?:[^:>]+:)?([a-z_]+)>")


@dataclass(frozen=True)
class Served:
    """A route and the function that serves it."""

    function: str
    route: Route

    @property
    def path(self) -> str:
        """As the specification writes it: /orders/{order_id}."""
        return _VARIABLE.sub(r"{\1}", self.route.path)

    @property
    def variables(self) -> list[str]:
        return _VARIABLE.findall(self.route.path)

    @property
    def client(self) -> Client:
        return client_of(self.function)


@cache
def served() -> dict[str, Served]:
    """Every route of every function, by its method and path."""
    found = [
        Served(manifest.name, route)
        for manifest in load_all()
        if manifest.trigger.kind == "http"
        for route in routes_of(manifest.name)
    ]
    return {f"{one.route.method} {one.path}": one for one in found}


@cache
def client_of(function: str) -> Client:
    main: Any = import_module(f"functions.{function}.main").main
    return Client.of(main)

"""One route: its address, its rules and its function."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Request as FlaskRequest

from shared.kit.errors import ApiError
from shared.kit.http.bodies import Body
from shared.kit.http.guards import Guard
from shared.kit.limits import Limit
from shared.kit.schemas import Query, Request

Target = Callable[[FlaskRequest], Any]
"""What functions-framework calls with a request."""


@dataclass(frozen=True)
class Route:
    """One route: its address, its rules and its function, as the decorator and the signature give them."""

    method: str
    path: str
    guard: Guard
    handler: Callable[..., Any]
    status: int
    or_status: int | None
    idempotent_s: int | None
    limits: tuple[Limit, ...]
    raises: tuple[type[ApiError], ...]
    body: type[Request] | None
    query: type[Query] | None
    takes: Body
    wants_asked: bool
    wants_file: bool
    returns: Any

    @property
    def name(self) -> str:
        return f"{self.handler.__module__}.{self.handler.__name__}"

    @property
    def summary(self) -> str:
        return (inspect.getdoc(self.handler) or "").partition("\n")[0]

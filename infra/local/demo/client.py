"""Calls as a front end makes them, for one person at a time."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from infra.local.demo.expectations import Unexpected

API = "/api/v1"
ACCESS_TOKEN = "X-PF-Token"  # noqa: S105 - the name of a header


@dataclass
class Person:
    """Someone with a browser: an email and, once signed in, a token that travels with every call."""

    http: httpx.Client
    email: str
    token: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def get(self, path: str, **query: Any) -> Any:
        """The data of an answer of 200. Raises Unexpected for any other."""
        return self.answer("GET", path, 200, query=query)["data"]

    def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        """The data of an answer of this status, under a key of its own. Raises Unexpected for any other."""
        return self.answer("POST", path, status, body=body)["data"]

    def answer(
        self, method: str, path: str, status: int, *, body: Any = None, query: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The whole body of an answer of this status; a token in its headers is used from then on."""
        headers = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        answer = self.http.request(method, API + path, json=body, params=query, headers=headers)
        if answer.status_code != status:
            raise Unexpected(f"{method} {path} by {self.email}", f"{answer.status_code} {answer.text}", status)
        self.token = answer.headers.get(ACCESS_TOKEN, self.token)
        told: dict[str, Any] = answer.json() if answer.content else {}
        return told

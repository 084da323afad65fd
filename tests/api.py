"""Call a function as a front end would: real routing, real sessions in Redis, a real database."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from flask.testing import FlaskClient

from shared.identity.callers import facts_of
from shared.identity.models import Store, User
from shared.identity.permissions import Role, SystemRole
from shared.kit import auth
from tests.builders.stores import a_user

_keys = itertools.count()


@dataclass(frozen=True)
class Error:
    """The error of an answer."""

    code: str
    message: str
    details: dict[str, Any] | None
    request_id: str

    @property
    def reason(self) -> str | None:
        return (self.details or {}).get("reason")

    @property
    def fields(self) -> list[str]:
        """The paths of the fields that were found wrong."""
        return [field["path"] for field in (self.details or {}).get("fields", [])]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def page(self) -> Any:
        return self.json["page"]

    @property
    def error(self) -> Error:
        told = self.json["error"]
        return Error(told["code"], told["message"], told.get("details"), told["request_id"])


@dataclass(frozen=True)
class Client:
    """A caller of one function's routes. `prefix` is put before every path that does not start with /api."""

    client: FlaskClient
    prefix: str = ""
    token: str | None = None

    @classmethod
    def of(cls, main: Any, prefix: str = "") -> "Client":
        """A client of a function's `main`."""
        return cls(main.app.test_client(), prefix)

    def under(self, prefix: str) -> "Client":
        return replace(self, prefix=prefix)

    def anonymously(self) -> "Client":
        return replace(self, token=None)

    def with_token(self, token: str) -> "Client":
        return replace(self, token=token)

    def as_member(
        self, store: Store, role: Role = Role.OWNER, *, user_id: UUID | None = None, **facts: Any
    ) -> "Client":
        """Signed in for `store` with `role`; without `user_id`, as a user who exists only in the session."""
        return self.with_token(
            sign_in(user_id=user_id or uuid4(), store_id=store.id, store_type=store.type, role=role, **facts)
        )

    def as_staff_of(self, store: Store) -> "Client":
        """Signed in with a role that may do the store's daily work."""
        return self.as_member(store, Role.OPS)

    def as_user(self, user: User) -> "Client":
        """Signed in without a store."""
        return self.with_token(sign_in(user_id=user.id, system_role=user.system_role))

    def as_admin(self, user: User | None = None) -> "Client":
        return self.as_user(user or a_user(system_role=SystemRole.ADMIN))

    def as_agent(self, user: User | None = None) -> "Client":
        return self.as_user(user or a_user(system_role=SystemRole.AGENT))

    def get(self, path: str = "", **query: Any) -> Answer:
        return self.send("GET", path, query=query)

    def post(self, path: str = "", body: Any = None, *, key: str | None = "", **headers: str) -> Answer:
        """POST with an Idempotency-Key of its own; `key` sets it, None leaves it out."""
        if key == "":
            key = f"test-key-{next(_keys)}"
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.send("POST", path, body=body, headers=headers)

    def put(self, path: str = "", body: Any = None) -> Answer:
        return self.send("PUT", path, body=body)

    def patch(self, path: str = "", body: Any = None) -> Answer:
        return self.send("PATCH", path, body=body)

    def delete(self, path: str = "") -> Answer:
        return self.send("DELETE", path)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request; `body` travels as JSON, bytes as they are."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= headers or {}
        address = path if path.startswith(("/api", "/health")) else self.prefix + path
        payload: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
        response = self.client.open(address, method=method, query_string=query or None, headers=sent, **payload)
        for name in ("X-PF-Token", "X-PF-Refresh-Token"):
            token = response.headers.get(name)
            assert token is None or token.encode() not in response.data, "tokens leave in headers and never in a body"
        return Answer(response.status_code, dict(response.headers), response.data)


def sign_in(**facts: Any) -> str:
    """Open a real session and mint its access token."""
    sid = uuid4().hex
    auth.store_session(sid, facts_of(**facts))
    claims: dict[str, Any] = {"sub": str(facts["user_id"]), "sid": sid, "gen": facts.get("generation", 0)}
    if facts.get("store_id"):
        claims["active_store_id"] = str(facts["store_id"])
    return auth.signer().sign(claims, ttl_s=auth.ACCESS_TTL_S)


ApiOf = Callable[..., Client]

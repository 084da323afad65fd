"""A walk along OWASP's API Security Top 10 (2023), where no other test is.

Others: objects of others (1) in `test_tenants`; tokens (2) in `test_permissions` and the tests of `auth`;
functions (5) in `test_permissions`; headers and errors (8) in `test_headers` and `test_fuzz`; a route that nobody
knows of (9) in `test_permissions`; providers that are not to be trusted (10) in the tests of `integrations`.
"""

import itertools
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import UUID

import jwt
import pytest

from infra.openapi import whole_document
from shared.identity.permissions import Role, StoreType
from shared.kit import auth
from shared.kit.ids import new_id
from shared.kit.pagination import PageQuery
from tests.api import Answer, Client
from tests.builders.people import PASSWORD, a_person, a_registration
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_member, a_store, a_user, a_vendor
from tests.security.callers import Caller, everybody
from tests.security.catalogue import Served, client_of, served
from tests.security.specification import RULES
from tests.security.untouched import untouched

EVERYBODY = everybody()
WITH_BODY = [route for route, one in served().items() if one.route.body]
WITHOUT_QUERY = [route for route, one in served().items() if one.route.query is None]
LISTS = [route for route, one in served().items() if one.route.query and issubclass(one.route.query, PageQuery)]
FREE_FORM = {("POST /api/v1/admin/billing/plans", "features")}
"""What a plan includes is told in words of the operators' own."""
_numbers = itertools.count(1)


def caller_of(route: str) -> Caller:
    return next(caller for caller in EVERYBODY if caller.may(RULES[route]))


def send(route: str, *, body: Any = None, client: Client | None = None, **query: Any) -> Answer:
    """A request of somebody who may, about things that are not there unless a `client` is given."""
    one: Served = served()[route]
    path = one.path
    for variable in one.variables:
        path = path.replace(f"{{{variable}}}", str(_there(variable) if client else new_id()))
    n = next(_numbers)
    headers = {"Idempotency-Key": f"walk-{n}", "X-Forwarded-For": f"10.9.{n >> 8 & 255}.{n & 255}"}
    if isinstance(body, bytes):
        headers["Content-Type"] = "application/json"
    client = client or one.client.with_token(caller_of(route).signed_in())
    return client.send(one.route.method, path, body=body, query=query, headers=headers)


def _there(variable: str) -> UUID:
    """Something that a path may name by this variable."""
    return a_product().id if variable == "product_id" else a_vendor().id


def owner_for(route: str) -> Client:
    """Somebody who may, with a store that is there when the route is for members."""
    client, rule = served()[route].client, RULES[route]
    if rule.store_types:
        store = a_store(StoreType(rule.store_types[0]))
        return client.as_member(store, user_id=a_member(store).id)
    return client.with_token(caller_of(route).signed_in())


# API3: properties that are not the caller's to set or to see.


@pytest.mark.parametrize("route", WITH_BODY)
def test_no_body_takes_a_property_that_is_not_in_the_document(route):
    privileged = {"system_role": "admin", "kyc_status": "verified", "password_hash": "x", "version_id": 1}

    with untouched():
        reply = send(route, body=served()[route].route.body.example | privileged)

    assert (reply.status, reply.error.code) == (400, "VALIDATION_ERROR"), reply.raw
    assert set(privileged) <= set(reply.error.fields)


def inner_objects(value: Any, path: str = "") -> Iterator[str]:
    """The paths of the objects within an example."""
    if isinstance(value, dict):
        if path:
            yield path
        for name, inner in value.items():
            yield from inner_objects(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from inner_objects(inner, f"{path}[{n}]")


def added_to(value: Any, path: str, target: str) -> Any:
    """The same example with something more in the object at `target`."""
    if isinstance(value, dict):
        copy = {name: added_to(inner, f"{path}.{name}" if path else name, target) for name, inner in value.items()}
        return copy | {"surprise": True} if path == target else copy
    if isinstance(value, list):
        return [added_to(inner, f"{path}[{n}]", target) for n, inner in enumerate(value)]
    return value


@pytest.mark.parametrize(
    ("route", "inner"),
    [
        (route, inner)
        for route in WITH_BODY
        for inner in inner_objects(served()[route].route.body.example)
        if (route, inner) not in FREE_FORM
    ],
)
def test_nor_does_an_object_within_it(route, inner):
    with untouched():
        reply = send(route, body=added_to(served()[route].route.body.example, "", inner))

    assert (reply.status, reply.error.code) == (400, "VALIDATION_ERROR"), reply.raw
    assert [field for field in reply.error.fields if field.startswith(f"{inner}.surprise")]


def test_no_answer_shows_what_is_kept_of_secrets():
    schemas = whole_document()["components"]["schemas"]
    secret = {"password", "password_hash", "mfa_secret", "digest", "square_card_id", "fingerprint", "token", "geom"}
    requests = {served()[route].route.body.__name__ for route in WITH_BODY}

    shown = {
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field in schema.get("properties", {})
        if field in secret and name.rpartition(".")[2] not in requests
    }

    assert shown == set()


# API4 and API6: as much as one likes of what costs.


@pytest.mark.parametrize("route", LISTS)
@pytest.mark.parametrize("limit", ["0", "-1", "101", "1e3", "100000000000000000000"])
def test_no_list_gives_more_than_a_hundred_rows(route, limit):
    reply = send(route, limit=limit)

    assert (reply.status, reply.error.fields) == (400, ["limit"])


@pytest.mark.parametrize("route", WITH_BODY)
def test_no_body_is_larger_than_a_mebibyte(route):
    reply = send(route, body=b" " * (1024 * 1024 + 1))

    assert (reply.status, reply.error.code) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("route", RULES)
def test_every_route_counts_how_often_it_is_asked(route):
    assert served()[route].route.limits


# API7: addresses that the server would have to visit.


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """An address of this machine, and what was asked of it."""
    asked: list[str] = []

    class Listening(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keeps quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Listening) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("scheme", ["https", "http", "file", "gopher", "ftp"])
def test_an_address_in_a_profile_is_visited_by_nobody(listener, scheme):
    url, asked = listener
    store = a_vendor()
    api = client_of("stores").as_member(store)

    kept = api.patch("/api/v1/stores/me", {"social_links": {"website": url.replace("http", scheme, 1)}})
    api.get("/api/v1/stores/me")

    assert kept.status == (200 if scheme == "https" else 400)
    assert asked == []


# Injection: what is sent is data wherever it ends up.

STATEMENTS = ("' OR '1'='1", "'; DROP TABLE users; --", "1); SELECT pg_sleep(60); --", "%' AND 1=1 --", "\\'; --")


@pytest.mark.parametrize("route", [route for route in RULES if served()[route].route.query])
def test_a_statement_in_a_query_is_text(route):
    caller = owner_for(route)
    for name, field in served()[route].route.query.model_fields.items():
        replies = [send(route, client=caller, **{field.alias or name: statement}) for statement in STATEMENTS]

        assert {reply.status for reply in replies} <= {200, 400}, (name, [reply.raw for reply in replies])


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_for_an_email_or_a_password_signs_nobody_in(statement):
    rosa = a_person()
    api = client_of("auth").under("/api/v1/auth")

    replies = [
        api.post("/login", {"email": rosa.email, "password": statement}, key=None),
        api.post("/login", {"email": f"{statement}@example.com", "password": PASSWORD}, key=None),
        api.post("/login", {"email": rosa.email, "password": {"$ne": ""}}, key=None),
    ]

    assert [reply.status for reply in replies] == [401, 400, 400]


@pytest.mark.parametrize("name", ["Robert'); DROP TABLE users;--", "{{7*7}}", "${jndi:ldap://x}", "<b onclick=x()>"])
def test_a_name_is_kept_as_it_is(name):
    api = client_of("auth").under("/api/v1/auth")

    reply = api.post("/register", a_registration(last_name=name))

    assert (reply.status, reply.data["user"]["last_name"]) == (201, name)


# JWT confusion: the header of a token decides nothing.


@pytest.mark.parametrize(
    "headers",
    [
        {"jwk": {"kty": "oct", "k": "YW4tYXR0YWNrZXJzLW93bi1zZWNyZXQtMDAwMDAwMDAwMQ"}},
        {"jku": "http://127.0.0.1:1/keys.json"},
        {"x5u": "http://127.0.0.1:1/cert.pem"},
        {"kid": "../../../../dev/null"},
        {"kid": "' UNION SELECT 'secret' --"},
        {"kid": ""},
        {"crit": ["exp"], "exp": 0},
    ],
)
def test_a_token_signed_by_another_key_is_refused_whatever_its_header_says(headers):
    claims = auth.signer().verify(client_of("auth").as_user(a_user()).token)
    forged = jwt.encode(claims, "an-attackers-own-secret-0000000001", algorithm="HS256", headers=headers)

    assert client_of("auth").with_token(forged).get("/api/v1/auth/me").status == 401


# Cursors and repeats: what was given to one is good for nobody else.


@pytest.mark.parametrize("route", LISTS)
def test_no_list_takes_a_cursor_that_it_did_not_give(route):
    api = client_of("stores")
    store = a_buyer()
    for _ in range(2):
        a_member(store, Role.STAFF)
    foreign = api.as_member(store).get("/api/v1/stores/me/users", limit=1).page["next"]
    cursors = ["x", "é", "AAAA", foreign[:-2], foreign.swapcase()]
    if route != "GET /api/v1/stores/me/users":
        cursors.append(foreign)

    caller = owner_for(route)
    for cursor in cursors:
        reply = send(route, client=caller, cursor=cursor)
        assert (reply.status, reply.error.fields) == (400, ["cursor"]), cursor


def test_the_answer_to_one_is_repeated_to_nobody_else():
    store = a_vendor()
    api = client_of("products")
    mine, colleagues, others = (
        api.as_member(owner, user_id=a_member(owner).id) for owner in (store, store, a_vendor())
    )
    body = served()["POST /api/v1/vendor/promos"].route.body.example

    replies = [
        caller.post("/api/v1/vendor/promos", body, key="the-same") for caller in (mine, mine, colleagues, others)
    ]

    assert [reply.headers.get("Idempotency-Replayed") for reply in replies] == [None, "true", None, None]
    assert [reply.status for reply in replies] == [201, 201, 409, 201]
    assert json.loads(replies[0].raw) == json.loads(replies[1].raw)

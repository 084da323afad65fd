"""The path from request to answer, on a small API of its own."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from shared.identity.callers import MemberCaller, UserCaller, anyone, member, signed_in
from shared.identity.permissions import Permission, Role
from shared.kit import redis
from shared.kit.auth import TokenSettings
from shared.kit.errors import StateConflict
from shared.kit.http import Api, Asked, Body
from shared.kit.idempotency import DAY_1
from shared.kit.limits import Limit, per_address
from shared.kit.schemas import Query, Request, Response
from tests.api import Client
from tests.builders.stores import a_buyer

pytestmark = pytest.mark.usefixtures("database")

calls: list[str] = []
meanwhile: list[Callable[[], None]] = []
"""What happens while a slow note is being written."""
api = Api("probe", prefix="/api/v1/probe")


class Note(Request):
    word: str
    times: int = 1


class Search(Query):
    colors: list[str] = []


class Echo(Response):
    word: str


@api.get("/open", allow=anyone(), limit=Limit("probe", "3/minute", per_address))
def open_to_all(asked: Asked) -> dict[str, str]:
    """Tells the caller's address."""
    return {"address": asked.address}


@api.get("/search", allow=anyone())
def search(query: Search) -> list[str]:
    """Echoes a list parameter."""
    return query.colors


@api.post("/notes", allow=member(Permission.CART_WRITE), idempotent=DAY_1, status=201)
def create(caller: MemberCaller, body: Note) -> Echo:
    """Echoes a word."""
    calls.append(body.word)
    if body.word == "slow":
        meanwhile.pop()()
    if body.word == "refuse":
        raise StateConflict(details={"reason": "refused"})
    if body.word == "crash":
        raise RuntimeError("a secret detail")
    return Echo(word=body.word)


@api.post("/letters", allow=signed_in(), idempotent=DAY_1, takes=Body("text/plain", max_mib=2, example="Dear all"))
def write(caller: UserCaller, file: bytes) -> int:
    """Tells how long a letter is."""
    return len(file)


@api.get("/mine/<uuid:thing_id>", allow=signed_in())
def mine(caller: UserCaller, thing_id: UUID) -> dict[str, UUID]:
    """Tells the path variable."""
    return {"thing": thing_id}


main = api.entry_point()


@pytest.fixture
def probe() -> Client:
    calls.clear()
    meanwhile.clear()
    return Client.of(main, "/api/v1/probe")


@pytest.fixture
def signed(probe: Client) -> Client:
    return probe.as_member(a_buyer())


def test_the_same_key_gets_the_same_answer_byte_for_byte(signed):
    first = signed.post("/notes", {"word": "hello"}, key="k1")
    again = signed.post("/notes", {"word": "hello"}, key="k1")

    assert (first.status, first.data) == (201, {"word": "hello"})
    assert (again.status, again.raw, again.headers["Idempotency-Replayed"]) == (201, first.raw, "true")
    assert calls == ["hello"]


def test_the_same_key_gets_the_same_answer_after_the_keys_were_rotated(signed, monkeypatch):
    first = signed.post("/notes", {"word": "hello"}, key="k1")
    old = TokenSettings.current().jwt_keys
    monkeypatch.setenv("PF_JWT_KEYS", f"test-2:{'n' * 40},{old}")
    TokenSettings.forget()

    again = signed.post("/notes", {"word": "hello"}, key="k1")
    monkeypatch.undo()
    TokenSettings.forget()

    assert (again.status, again.raw) == (201, first.raw)
    assert calls == ["hello"]


def test_two_trips_to_redis_let_a_request_in_and_a_third_keeps_its_answer(signed, statements):
    with statements() as read:
        signed.get(f"/mine/{uuid4()}")
    with statements() as written:
        signed.post("/notes", {"word": "hello"})

    assert (read.redis, written.redis) == (2, 3)


def test_another_body_under_the_same_key_is_a_conflict(signed):
    signed.post("/notes", {"word": "hello"}, key="k1")

    reply = signed.post("/notes", {"word": "bye"}, key="k1")

    assert (reply.status, reply.error.code) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert calls == ["hello"]


def test_a_refusal_is_replayed_and_a_crash_is_not(signed):
    refusals = [signed.post("/notes", {"word": "refuse"}, key="k1") for _ in range(2)]
    crashes = [signed.post("/notes", {"word": "crash"}, key="k2") for _ in range(2)]

    assert [reply.status for reply in refusals] == [422, 422]
    assert refusals[0].raw == refusals[1].raw
    assert [reply.error.code for reply in crashes] == ["INTERNAL_ERROR", "INTERNAL_ERROR"]
    assert b"secret detail" not in crashes[0].raw
    assert calls == ["refuse", "crash", "crash"]


def test_a_repeat_while_the_first_is_being_worked_on_is_told_to_come_back(signed):
    repeats = []
    meanwhile.append(
        lambda: repeats.extend(signed.post("/notes", {"word": word}, key="k1") for word in ("slow", "bye"))
    )

    first = signed.post("/notes", {"word": "slow"}, key="k1")

    assert [(reply.status, reply.error.code) for reply in repeats] == [
        (409, "IDEMPOTENCY_IN_PROGRESS"),
        (409, "IDEMPOTENCY_KEY_REUSED"),
    ]
    assert repeats[0].headers["Retry-After"] == "1"
    assert (first.status, calls) == (201, ["slow"])


def test_who_works_longer_than_the_lease_leaves_the_answer_alone_that_another_gave(signed):
    kept = []

    def outlast_the_lease():
        [key] = redis.client().scan_iter("pf:idempotency:*")
        redis.client().delete(key)
        meanwhile.append(lambda: None)
        signed.post("/notes", {"word": "slow"}, key="k1")
        kept.append((key, redis.client().get(key)))

    meanwhile.append(outlast_the_lease)
    signed.post("/notes", {"word": "slow"}, key="k1")

    [(key, answer)] = kept
    assert redis.client().get(key) == answer
    assert calls == ["slow", "slow"]


@pytest.mark.parametrize("key", [None, " " * 0 + "é", "x" * 256])
def test_a_missing_or_odd_key_is_refused(signed, key):
    reply = signed.post("/notes", {"word": "hello"}, key=key)

    assert (reply.status, reply.error.code) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert calls == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"word": "a", "total_cents": 1}, ["total_cents"]),
        ({"times": "many"}, ["word", "times"]),
        ({"word": "a", "times": "5"}, ["times"]),
        ({"word": "a", "times": True}, ["times"]),
        ([], [""]),
    ],
)
def test_a_body_that_does_not_fit_names_its_fields(signed, body, fields):
    reply = signed.post("/notes", body)

    assert (reply.status, reply.error.code, reply.error.fields) == (400, "VALIDATION_ERROR", fields)
    assert calls == []


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "VALIDATION_ERROR"),
        (b'{"word": NaN}', "application/json", 400, "VALIDATION_ERROR"),
        (b'{"word": Infinity}', "application/json", 400, "VALIDATION_ERROR"),
        (b'{"word": 1e400}', "application/json", 400, "VALIDATION_ERROR"),
        (b'{"word": "a\\u0000b"}', "application/json", 400, "VALIDATION_ERROR"),
        (b'{"word": "a\\\\\\u0000b"}', "application/json", 400, "VALIDATION_ERROR"),
        (b'{"word": "a", "\\u0000": 1}', "application/json", 400, "VALIDATION_ERROR"),
        (b'{"word": "a\\ud83d"}', "application/json", 400, "VALIDATION_ERROR"),
        ('{"word": "a"}'.encode("utf-16"), "application/json", 400, "VALIDATION_ERROR"),
        ('{"word": "caf\u00e9"}'.encode("latin-1"), "application/json; charset=latin-1", 400, "VALIDATION_ERROR"),
        (b"[" * 100_000, "application/json", 400, "VALIDATION_ERROR"),
        (b"word=a", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b" " * (1024 * 1024 + 1), "application/json", 413, "PAYLOAD_TOO_LARGE"),
    ],
)
def test_a_body_that_is_not_acceptable_is_refused(signed, body, content_type, status, code):
    reply = signed.send("POST", "/notes", body=body, headers={"Content-Type": content_type, "Idempotency-Key": "odd"})

    assert (reply.status, reply.error.code) == (status, code)
    assert calls == []


@pytest.mark.parametrize("text", ["a\\u0000b", "\U0001f335 and caf\u00e9", "\\\\\\u0000"])
def test_text_that_only_looks_odd_is_kept(signed, text):
    assert signed.post("/notes", {"word": text}).data["word"] == text


MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("length", "content_type", "status", "told"),
    [
        (2 * MIB, "text/plain; charset=utf-8", 200, 2 * MIB),
        (2 * MIB + 1, "text/plain", 413, "The body is larger than 2 MiB."),
        (2, "application/json", 415, "Send the body as text/plain."),
    ],
)
def test_a_route_may_take_another_type_and_size(signed, length, content_type, status, told):
    headers = {"Content-Type": content_type, "Idempotency-Key": "letter"}

    reply = signed.send("POST", "/letters", body=b"x" * length, headers=headers)

    assert reply.status == status
    assert (reply.data if status == 200 else reply.error.message) == told


def test_a_role_without_the_permission_is_refused(probe):
    reply = probe.as_member(a_buyer(), Role.VIEWER).post("/notes", {"word": "hello"})

    assert (reply.status, reply.error.code) == (403, "FORBIDDEN")
    assert reply.error.details == {"permission": "cart:write"}


@pytest.mark.parametrize("token", [None, "nonsense", "a.b.c"])
def test_without_a_good_token_nobody_enters(probe, token):
    caller = probe if token is None else probe.with_token(token)

    reply = caller.post("/notes", {"word": "hello"})

    assert (reply.status, reply.error.code) == (401, "UNAUTHORIZED")


def test_lists_come_separated_or_repeated_and_unknown_parameters_are_refused(probe):
    listed = probe.send("GET", "/search?colors=red,blue&colors=green")
    unknown = probe.get("/search", shape="round")
    unasked = probe.get("/open", colors="red")
    unstorable = probe.send("GET", "/search?colors=re%00d")

    assert listed.data == ["red", "blue", "green"]
    assert (unknown.status, unknown.error.fields) == (400, ["shape"])
    assert (unasked.status, unasked.error.fields) == (400, ["colors"])
    assert (unstorable.status, unstorable.error.fields) == (400, ["colors"])


def test_the_limit_is_counted_per_subject_and_says_when_to_come_back(probe):
    statuses = [probe.get("/open").status for _ in range(4)]
    elsewhere = probe.send("GET", "/open", headers={"X-Forwarded-For": "9.9.9.9, 203.0.113.7"})
    refused = probe.get("/open")

    assert statuses == [200, 200, 200, 429]
    assert (elsewhere.status, elsewhere.data) == (200, {"address": "203.0.113.7"})
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_errors_of_the_router_wear_the_same_envelope(probe):
    missing = probe.get("/nowhere")
    method = probe.delete("/open")

    assert (missing.status, missing.error.code) == (404, "NOT_FOUND")
    assert (method.status, method.error.code) == (405, "METHOD_NOT_ALLOWED")


def test_the_request_id_is_the_callers_when_it_is_fit_and_fresh_otherwise(probe):
    ours = probe.send("GET", "/search", headers={"X-Request-Id": "order-42.retry_1"})
    odd = probe.send("GET", "/search", headers={"X-Request-Id": "no spaces allowed"})

    assert ours.headers["X-Request-Id"] == "order-42.retry_1"
    assert UUID(odd.headers["X-Request-Id"]).version == 7


@pytest.mark.parametrize("end", ["", "/"])
def test_health_says_what_is_used(probe, end):
    live = probe.get(f"/health/live{end}")
    ready = probe.get(f"/health/ready{end}")

    assert (live.status, live.data) == (200, {"status": "ok"})
    assert (ready.status, ready.data["dependencies"]) == (200, {"database": "ok", "redis": "ok"})

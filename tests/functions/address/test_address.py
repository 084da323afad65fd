"""Suggest and resolve as a front end uses them: without signing in, one session token until an address is chosen."""

import json
from uuid import uuid4

import pytest
from redis.exceptions import ConnectionError as Unreachable

from infra.local.maps.atlas import Spot
from infra.local.maps.regions import Town
from shared.kit import logging, redis
from tests.builders.stores import a_user
from tests.maps import place_id

ADDRESS = {
    "line1": "100 N Broadway Ave",
    "line2": None,
    "city": "Oklahoma City",
    "state": "OK",
    "postal_code": "73102",
    "country": "US",
    "lat": 35.465015,
    "lng": -97.500195,
}


def suggest(api, q="100 N Broadway 73102", session=None):
    return api.get("/suggest", q=q, session_token=session or str(uuid4()))


def resolve(api, id_, session=None):
    return api.post("/resolve", {"place_id": id_, "session_token": session or str(uuid4())}, key=None)


def test_from_a_few_letters_to_an_address_with_its_position(api, maps):
    session = str(uuid4())

    suggested = suggest(api, "100 n broa 73102", session)
    resolved = resolve(api, suggested.data[0]["place_id"], session)

    assert (suggested.status, suggested.data) == (
        200,
        [
            {
                "place_id": place_id("100 n broadway 73102"),
                "text": "100 N Broadway Ave, Oklahoma City, OK, USA",
                "main_text": "100 N Broadway Ave",
                "secondary_text": "Oklahoma City, OK, USA",
            }
        ],
    )
    assert (resolved.status, resolved.data) == (200, ADDRESS)
    assert maps.sessions == {"open": 0, "ended": 1, "billed_alone": 0}


def test_the_same_letters_are_answered_from_here_for_a_day(api, maps, statements):
    with statements() as first_cost:
        first = suggest(api)
    with statements() as again_cost:
        again = suggest(api, "  100 n   BROADWAY 73102 ")

    (kept,) = redis.client().keys("pf:places:1:suggest:*")
    assert again.data == first.data != []
    assert (maps.calls, redis.client().ttl(kept)) == ({"autocomplete": 1}, 86_400)
    assert (first_cost.sql, first_cost.redis) == (0, 3)
    assert (again_cost.sql, again_cost.redis) == (0, 2)


def test_after_a_day_the_map_is_asked_again(api, maps):
    suggest(api)
    (kept,) = redis.client().keys("pf:places:1:suggest:*")

    redis.client().expire(kept, 0)
    suggest(api)

    assert maps.calls == {"autocomplete": 2}


def test_the_same_place_is_answered_from_here_for_a_day(api, maps, statements):
    id_ = place_id("100 n broadway 73102")

    with statements() as first_cost:
        resolve(api, id_)
    with statements() as again_cost:
        again = resolve(api, id_)

    (kept,) = redis.client().keys("pf:places:1:resolve:*")
    assert again.data == ADDRESS
    assert (maps.calls, redis.client().ttl(kept)) == ({"details": 1}, 86_400)
    assert (first_cost.sql, first_cost.redis) == (0, 3)
    assert (again_cost.sql, again_cost.redis) == (0, 2)


def test_a_session_that_the_map_knows_of_is_ended_there_even_for_a_known_place(api, maps):
    id_, session = place_id("100 n broadway 73102"), str(uuid4())
    resolve(api, id_)
    suggest(api, session=session)

    once, twice = (resolve(api, id_, session) for _ in range(2))

    assert once.data == twice.data == ADDRESS
    assert maps.calls == {"autocomplete": 1, "details": 2}
    assert maps.sessions == {"open": 0, "ended": 2, "billed_alone": 0}


def test_a_session_that_was_all_answered_from_here_never_reaches_the_map(api, maps):
    for session in (str(uuid4()), str(uuid4())):
        resolve(api, suggest(api, session=session).data[0]["place_id"], session)

    assert maps.calls == {"autocomplete": 1, "details": 1}
    assert maps.sessions == {"open": 0, "ended": 1, "billed_alone": 0}


def test_a_session_is_forgotten_when_the_map_forgets_it(api, maps):
    suggest(api)

    (session,) = redis.client().keys("pf:places:1:session:*")
    assert redis.client().ttl(session) == 300


def test_nothing_found_is_asked_for_again(api, maps):
    gone = Spot(Town("Atlantis", None, ("OK", "Oklahoma"), ("US", "United States"), "73999", 0, 0), "N Main St", "1").id

    empty = [suggest(api, "7 xyzzy").data for _ in range(2)]
    missing = [resolve(api, gone) for _ in range(2)]

    assert empty == [[], []]
    assert [(reply.status, reply.error.code) for reply in missing] == [(404, "NOT_FOUND")] * 2
    assert maps.calls == {"autocomplete": 2, "details": 2}
    assert redis.client().keys("pf:places:1:[rs]*[te]:*") == []


@pytest.mark.parametrize(
    ("id_", "reason"),
    [
        (place_id("100 n main st toronto", "CA"), "outside_us"),
        (place_id("state highway 9 enid"), "not_an_address"),
    ],
)
def test_what_is_no_address_of_ours_is_refused_by_its_field(api, id_, reason):
    reply = resolve(api, id_)

    assert (reply.status, reply.error.code, reply.error.reason) == (400, "VALIDATION_ERROR", reason)
    assert reply.error.fields == ["place_id"]


def test_parts_that_fit_no_address_of_ours_are_refused(api, maps):
    components = {"route": "Elm St", "locality": "Tulsa", "administrative_area_level_1": "OK", "country": "US"}
    told = [
        {"long_name": name, "short_name": name, "types": [kind]}
        for kind, name in {**components, "postal_code": "741"}.items()
    ]
    result = {"address_components": told, "geometry": {"location": {"lat": 36, "lng": -96}}}
    maps.fail("details", text=json.dumps({"status": "OK", "result": result}))

    reply = resolve(api, "ChIJany")

    assert (reply.status, reply.error.reason) == (400, "not_an_address")


def test_a_place_that_never_was_is_not_found(api):
    assert resolve(api, "nonsense").status == 404


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({}, ["q", "session_token"]),
        ({"q": "ab", "session_token": "a" * 16}, ["q"]),
        ({"q": "  a  ", "session_token": "a" * 16}, ["q"]),
        ({"q": "x" * 201, "session_token": "a" * 16}, ["q"]),
        ({"q": "100\u0007 main", "session_token": "a" * 16}, ["q"]),
        ({"q": "100 main", "session_token": "short"}, ["session_token"]),
        ({"q": "100 main", "session_token": "a b c d e f g h i j"}, ["session_token"]),
        ({"q": "100 main", "session_token": "a" * 16, "country": "ca"}, ["country"]),
    ],
)
def test_a_question_that_does_not_fit_is_refused(api, maps, query, wrong):
    reply = api.get("/suggest", **query)

    assert (reply.status, reply.error.fields) == (400, wrong)
    assert maps.calls == {}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"place_id": ""}, ["place_id"]),
        ({"place_id": "a b"}, ["place_id"]),
        ({"place_id": "x" * 513}, ["place_id"]),
        ({"place_id": None}, ["place_id"]),
        ({"session_token": "short"}, ["session_token"]),
        ({"surprise": 1}, ["surprise"]),
    ],
)
def test_a_choice_that_does_not_fit_is_refused(api, maps, change, wrong):
    reply = api.post("/resolve", {"place_id": "ChIJany", "session_token": "a" * 16, **change}, key=None)

    assert (reply.status, reply.error.fields) == (400, wrong)
    assert maps.calls == {}


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [({"http": 500}, "2"), ({"status": "REQUEST_DENIED"}, "60"), ({"status": "OVER_QUERY_LIMIT"}, "60")],
)
def test_without_the_map_the_answer_is_503_and_nothing_is_kept(api, maps, error, retry_after):
    maps.fail(times=4, **error)

    replies = [suggest(api), resolve(api, place_id("100 n broadway"))]

    for reply in replies:
        assert (reply.status, reply.error.code) == (503, "DEPENDENCY_ERROR")
        assert reply.headers["Retry-After"] == retry_after
    assert redis.client().keys("pf:places:*") == []


def test_a_known_place_is_told_even_while_the_map_is_away(api, maps):
    id_, session = place_id("100 n broadway 73102"), str(uuid4())
    resolve(api, id_)
    suggest(api, session=session)
    maps.fail("details", http=500, times=2)

    away, back = resolve(api, id_, session), resolve(api, id_, session)

    assert (away.data, back.data) == (ADDRESS, ADDRESS)
    assert maps.sessions == {"open": 0, "ended": 2, "billed_alone": 0}


def test_without_redis_nothing_is_looked_up(api, maps, monkeypatch):
    def down():
        raise Unreachable

    monkeypatch.setattr(redis, "client", down)
    replies = [suggest(api), resolve(api, place_id("100 n broadway"))]

    assert [(reply.status, reply.error.code) for reply in replies] == [(503, "DEPENDENCY_ERROR")] * 2
    assert maps.calls == {}


def test_it_is_ready_without_a_database(api, monkeypatch):
    assert api.get("/health/ready").data == {"status": "ok", "dependencies": {"redis": "ok"}}


def test_thirty_lookups_of_both_kinds_a_minute(api, maps):
    id_ = place_id("100 n broadway 73102")
    allowed = [reply.status for _ in range(15) for reply in (suggest(api), resolve(api, id_))]

    refused = [suggest(api), resolve(api, id_)]

    assert allowed == [200] * 30
    for reply in refused:
        assert (reply.status, reply.error.code) == (429, "RATE_LIMIT_EXCEEDED")
        assert 1 <= int(reply.headers["Retry-After"]) <= 60
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    query = {"q": "100 n broadway", "session_token": "a" * 16}
    assert api.send("GET", "/suggest", query=query, headers=elsewhere).status == 200


def test_whoever_is_signed_in_is_counted_by_themselves(api, maps, monkeypatch, database):
    rosa, lee = api.as_user(a_user()), api.as_user(a_user())

    spent = [suggest(rosa).status for _ in range(31)]
    others = [suggest(caller).status for caller in (lee, api, api.with_token("stale"))]

    assert (spent, others) == ([200] * 30 + [429], [200] * 3)


def test_a_token_that_proves_nothing_has_no_lookups_of_its_own(api, maps):
    for _ in range(30):
        suggest(api)

    assert [suggest(api.with_token(token)).status for token in ("stale", "a.b.c")] == [429, 429]


def test_what_people_look_for_is_in_no_log_line_and_in_no_name_of_a_key(api, maps):
    said: list[str] = []
    stop = logging.listen(said.append)
    session = str(uuid4())

    resolve(api, suggest(api, session=session).data[0]["place_id"], session)
    resolve(api, "nonsense", session)
    maps.fail(http=500, times=2)
    suggest(api, "200 n broadway", session)
    stop()

    lines = "\n".join(said).lower()
    names = " ".join(redis.client().keys("*")).lower()
    personal = ("broadway", "oklahoma", "73102", "35.46", "nonsense", "chij", session)
    assert [word for word in personal if word in lines or word in names] == []
    assert lines.count('"message": "request"') == 4

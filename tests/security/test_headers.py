"""What stands in the headers of every answer, and that nothing gets into them from a request."""

import json

import pytest

from shared.kit import logging
from tests.api import Client
from tests.builders.people import a_person
from tests.security.callers import everybody
from tests.security.catalogue import client_of, served
from tests.security.specification import RULES

OURS = "http://localhost:3000"


@pytest.fixture
def api() -> Client:
    return client_of("auth").under("/api/v1/auth")


def me(api: Client, **headers: str):
    """A read by somebody, with these headers."""
    return api.send("GET", "/me", headers={"Authorization": f"Bearer {api.as_user(a_person()).token}", **headers})


@pytest.mark.parametrize("route", RULES)
def test_every_answer_forbids_to_sniff_to_refer_and_to_keep(route):
    one = served()[route]
    caller = next(caller for caller in everybody() if caller.may(RULES[route]))

    reply = one.client.with_token(caller.signed_in()).send(one.route.method, one.path.replace("{", "").replace("}", ""))

    shown = {name: reply.headers.get(name) for name in ("X-Content-Type-Options", "Referrer-Policy", "Cache-Control")}
    assert shown == {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    assert reply.headers["X-Request-Id"]


def test_pages_of_ours_may_read_the_tokens_and_no_other_page_anything(api):
    ours, theirs, nobodys = (me(api, Origin=origin) for origin in (OURS, "https://evil.example.com", "null"))

    assert ours.headers["Access-Control-Allow-Origin"] == OURS
    assert ours.headers["Access-Control-Expose-Headers"] == (
        "X-PF-Token, X-PF-Refresh-Token, X-Request-Id, Idempotency-Replayed, Retry-After"
    )
    assert ours.headers["Vary"] == "Origin"
    for reply in (theirs, nobodys):
        assert not [name for name in reply.headers if name.startswith("Access-Control-")]


def test_a_preflight_tells_what_pages_of_ours_may_send_and_others_nothing(api):
    ours = api.send("OPTIONS", "/me", headers={"Origin": OURS, "Access-Control-Request-Method": "PATCH"})
    theirs = api.send("OPTIONS", "/me", headers={"Origin": "https://evil.example.com"})

    assert ours.status == 200
    assert {"GET", "PATCH"} <= set(ours.headers["Access-Control-Allow-Methods"].split(", "))
    assert "Idempotency-Key" in ours.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in theirs.headers


@pytest.mark.parametrize("header", ["X-Request-Id", "traceparent", "Origin", "X-Forwarded-For", "Idempotency-Key"])
@pytest.mark.parametrize("value", [f"12345678{end}X-Injected: yes" for end in ("\r\n", "\n", "\r", "<script>")])
def test_what_is_put_into_a_header_comes_back_in_none(api, header, value):
    lines: list[str] = []
    stop = logging.listen(lines.append)
    try:
        # Werkzeug's client sends no line break in a header, so the server is told of one as if it had come.
        name = "HTTP_" + header.upper().replace("-", "_")
        reply = api.client.get("/api/v1/auth/me", environ_overrides={name: value})
    finally:
        stop()

    assert reply.status_code == 401
    assert "X-Injected" not in reply.headers
    assert not any(value in shown or "script" in shown for shown in reply.headers.values())
    assert "request" in {json.loads(line)["message"] for line in lines}
    assert not any("\n" in line for line in lines)

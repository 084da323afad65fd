"""Registering with an address that has no position yet: the map is asked before anything is written."""

import pytest
from sqlalchemy import func, select

from shared.identity.models import Store, User
from shared.integrations.maps.google import GoogleMaps
from shared.kit import db, logging
from shared.kit.db import read_only
from tests.builders.people import a_person, a_registration
from tests.maps import fresh_maps, maps_server  # noqa: F401 - fixtures

WRITTEN = {"line1": "100 N Broadway Ave", "city": "Oklahoma City", "state": "OK", "postal_code": "73102"}


def written() -> tuple[int, int]:
    """How many people and stores there are."""
    with read_only() as session:
        return tuple(session.scalar(select(func.count()).select_from(table)) for table in (User, Store))


def position() -> tuple[float, float]:
    with read_only() as session:
        return tuple(session.execute(select(Store.lat, Store.lng)).one())


def test_an_address_without_a_position_is_put_on_the_map(api, maps):
    reply = api.post("/register", a_registration(address=WRITTEN))

    assert (reply.status, position()) == (201, (35.465015, -97.500195))
    assert maps.calls == {"geocode": 1}


def test_an_address_with_a_position_asks_nobody(api, maps):
    reply = api.post("/register", a_registration(address={**WRITTEN, "lat": 35.5, "lng": -97.5}))

    assert (reply.status, position(), maps.calls) == (201, (35.5, -97.5), {})


def test_an_address_that_is_nowhere_makes_nothing(api, maps, events):
    reply = api.post("/register", a_registration(address={**WRITTEN, "line1": "1 Xyzzy"}))

    assert (reply.status, reply.error.code, reply.error.reason) == (400, "VALIDATION_ERROR", "address_not_found")
    assert reply.error.fields == ["address"]
    assert (written(), events.emitted()) == ((0, 0), [])


@pytest.mark.parametrize(
    "half", [{"lat": 35.5}, {"lng": -97.5}, {"lat": None, "lng": -97.5}, {"lat": 35.5, "lng": None}]
)
def test_half_a_position_is_refused(api, maps, half):
    reply = api.post("/register", a_registration(address={**WRITTEN, **half}))

    assert (reply.status, reply.error.fields) == (400, ["address.lng"])
    assert (written(), maps.calls) == ((0, 0), {})


@pytest.mark.parametrize("error", [{"http": 500}, {"status": "REQUEST_DENIED"}, {"status": "OVER_QUERY_LIMIT"}])
def test_without_the_map_nothing_is_written_and_the_same_key_may_try_again(api, maps, events, error):
    maps.fail(times=2 if "http" in error else 1, **error)

    away = api.post("/register", a_registration(address=WRITTEN), key="one")
    nothing = (written(), events.emitted())
    back = api.post("/register", a_registration(address=WRITTEN), key="one")

    assert (away.status, away.error.code, "Retry-After" in away.headers) == (503, "DEPENDENCY_ERROR", True)
    assert nothing == ((0, 0), [])
    assert (back.status, written()) == (201, (1, 1))


def test_the_map_is_asked_before_the_transaction_opens(api, maps, monkeypatch):
    order = []
    geocode, begin = GoogleMaps.geocode, db.transaction

    def asked(self, envelope):
        order.append("map")
        return geocode(self, envelope)

    def begun():
        order.append("transaction")
        return begin()

    monkeypatch.setattr(GoogleMaps, "geocode", asked)
    monkeypatch.setattr("functions.auth.registration.transaction", begun)
    api.post("/register", a_registration(address=WRITTEN))

    assert order == ["map", "transaction"]


def test_a_wrong_password_asks_no_map(api, maps):
    a_person(email="rosa@greenmesa.example.com", password="another dozen cacti")

    reply = api.post("/register", a_registration(address=WRITTEN))

    assert (reply.status, maps.calls) == (409, {})


def test_the_address_is_in_no_log_line(api, maps):
    said: list[str] = []
    stop = logging.listen(said.append)
    api.post("/register", a_registration(address=WRITTEN))
    api.post("/register", a_registration(address={**WRITTEN, "line1": "1 Xyzzy"}, email="lee@example.com"))
    stop()

    lines = "\n".join(said).lower()
    assert [word for word in ("broadway", "xyzzy", "73102", "35.46") if word in lines] == []
    assert '"message": "maps_call"' in lines

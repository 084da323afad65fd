"""The adapter against the stand-in: our words for Google's, what its refusals become, and how often it is asked."""

import json
import logging as python_logging

import pytest

from infra.local.processes import wait_until
from shared.integrations.maps import (
    Envelope,
    MapsDown,
    MapsSettings,
    Place,
    PlaceAbroad,
    PlaceIncomplete,
    PlaceNotFound,
    Position,
    Suggestion,
    map_provider,
)
from shared.kit import logging
from shared.kit.config import SettingMissing
from tests.maps import place_id
from tests.patience import PATIENCE_S

NEVER_MS = 600_000
"""Of a test: what comes before the next one begins is forgotten with it."""
SESSION = "7b0c5a34-3c9c-4f5b-9c1e-2f8f6a1d7e55"
BROADWAY = Envelope("100 N Broadway Ave", "Oklahoma City", "OK", "73102")


@pytest.fixture
def provider(maps):
    return map_provider()


@pytest.fixture
def told(maps, monkeypatch):
    """Call it with a setting to change it for the test."""

    def change(**settings):
        for name, value in settings.items():
            monkeypatch.setenv(f"PF_MAPS_{name.upper()}", str(value))
        MapsSettings.forget()
        return map_provider()

    return change


@pytest.fixture
def said():
    """Every log line of the test."""
    lines: list[str] = []
    stop = logging.listen(lines.append)
    yield lines
    stop()


def metrics(said):
    return [told["metric"] for told in map(json.loads, said) if "metric" in told]


ASK = {
    "autocomplete": lambda provider: provider.suggest("100 n broadway", session_token=SESSION),
    "details": lambda provider: provider.resolve(place_id("100 n broadway"), session_token=SESSION),
    "geocode": lambda provider: provider.geocode(BROADWAY),
}


def parts(**changes):
    """Google's answer about a place: each part's short name by its type; None leaves one out."""
    whole = {
        "street_number": "9",
        "route": "Elm St",
        "locality": "Tulsa",
        "administrative_area_level_1": "OK",
        "country": "US",
        "postal_code": "74103",
        **changes,
    }
    components = [
        {"long_name": name, "short_name": name, "types": [kind, "political"]} for kind, name in whole.items() if name
    ]
    return {
        "address_components": components,
        "geometry": {"location": {"lat": 36.1, "lng": -95.9}, "location_type": "ROOFTOP"},
    }


def test_what_is_typed_becomes_suggestions(maps, provider):
    found = provider.suggest("100 N Broa 73102", session_token=SESSION)

    assert found == [
        Suggestion(
            place_id("100 n broadway 73102"),
            "100 N Broadway Ave, Oklahoma City, OK, USA",
            "100 N Broadway Ave",
            "Oklahoma City, OK, USA",
        )
    ]
    assert provider.suggest("7 xyzzy", session_token=SESSION) == []
    assert provider.suggest("100 n main st toronto", session_token=SESSION) == []
    assert maps.sessions == {"open": 1, "ended": 0, "billed_alone": 0}


def test_a_suggestion_becomes_an_address_and_ends_the_session(maps, provider):
    provider.suggest("100 n broadway", session_token=SESSION)

    place = provider.resolve(place_id("100 n broadway"), session_token=SESSION)

    position = Position(35.465015, -97.500195)
    assert place == Place("100 N Broadway Ave", None, "Oklahoma City", "OK", "73102", position)
    assert maps.sessions == {"open": 0, "ended": 1, "billed_alone": 0}


def test_an_address_is_found_where_it_is(provider):
    assert provider.geocode(BROADWAY) == Position(35.465015, -97.500195)


@pytest.mark.parametrize(
    ("typed", "line1", "line2"),
    [("100 N Broadway Ave #400", "100 N Broadway Ave", "# 400"), ("county road 1400 enid", "County Road 1400", None)],
)
def test_units_and_roads_without_numbers_have_their_lines(provider, typed, line1, line2):
    place = provider.resolve(place_id(typed), session_token=SESSION)

    assert (place.line1, place.line2) == (line1, line2)


@pytest.mark.parametrize(
    ("changes", "city", "postal_code"),
    [
        ({"postal_code_suffix": "0042"}, "Tulsa", "74103-0042"),
        ({"locality": None, "sublocality_level_1": "Brookside", "neighborhood": "x"}, "Brookside", "74103"),
        ({"locality": None, "administrative_area_level_3": "Osage"}, "Osage", "74103"),
        ({"locality": None, "neighborhood": "Owen Park"}, "Owen Park", "74103"),
    ],
)
def test_a_city_may_go_by_other_kinds_of_names(maps, provider, changes, city, postal_code):
    maps.fail("details", text=json.dumps({"status": "OK", "result": parts(**changes)}))

    place = provider.resolve("ChIJany", session_token=SESSION)

    assert (place.line1, place.city, place.state, place.postal_code) == ("9 Elm St", city, "OK", postal_code)


@pytest.mark.parametrize("missing", ["route", "locality", "administrative_area_level_1", "postal_code"])
def test_a_place_that_lacks_a_part_is_no_address(maps, provider, missing):
    maps.fail("details", text=json.dumps({"status": "OK", "result": parts(**{missing: None})}))

    with pytest.raises(PlaceIncomplete) as refused:
        provider.resolve("ChIJany", session_token=SESSION)

    assert refused.value.details["reason"] == "not_an_address"
    assert [field["path"] for field in refused.value.details["fields"]] == ["place_id"]


def test_a_highway_through_many_zip_codes_is_no_address(provider):
    with pytest.raises(PlaceIncomplete):
        provider.resolve(place_id("state highway 9 enid"), session_token=SESSION)


def test_a_place_outside_the_united_states_is_refused(maps, provider):
    with pytest.raises(PlaceAbroad) as refused:
        provider.resolve(place_id("100 n main st toronto", "CA"), session_token=SESSION)
    maps.fail("details", text=json.dumps({"status": "OK", "result": parts(country=None)}))
    with pytest.raises(PlaceAbroad):
        provider.resolve("ChIJany", session_token=SESSION)

    assert (refused.value.status, refused.value.details["reason"]) == (400, "outside_us")


@pytest.mark.parametrize("status", ["NOT_FOUND", "INVALID_REQUEST", "ZERO_RESULTS"])
def test_a_place_that_is_not_there_is_not_found(maps, provider, status, said):
    maps.fail("details", status=status)

    with pytest.raises(PlaceNotFound):
        provider.resolve(place_id("100 n broadway"), session_token=SESSION)

    assert maps.calls == {"details": 1}
    assert metrics(said) == []


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope("PO Box 12", "Tulsa", "OK", "74103"),
        Envelope("1 Xyzzy", "Tulsa", "OK", "74103"),
        Envelope("1 Main St", "Nowhere", "OK", "99999"),
    ],
)
def test_the_middle_of_a_town_is_not_where_an_address_is(provider, envelope):
    assert provider.geocode(envelope) is None


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({}, True),
        ({"locality": "West Tulsa"}, True),
        ({"postal_code": "74104"}, True),
        ({"locality": "Paris", "postal_code": "75460"}, False),
        ({"administrative_area_level_1": "TX"}, False),
        ({"country": "CA"}, False),
    ],
)
def test_a_namesake_elsewhere_is_not_what_was_meant(maps, provider, changes, is_found):
    maps.fail("geocode", text=json.dumps({"status": "OK", "results": [parts(**changes)]}))

    found = provider.geocode(Envelope("9 Elm St", "TULSA", "OK", "74103-0001"))

    assert found == (Position(36.1, -95.9) if is_found else None)


@pytest.mark.parametrize("operation", ASK)
@pytest.mark.parametrize(
    ("error", "tries", "retry_after_s", "measured"),
    [
        ({"status": "REQUEST_DENIED"}, 1, 60, ["maps_down", "maps_refused"]),
        ({"status": "SOMETHING_NEW"}, 1, 60, ["maps_down"]),
        ({"status": "OVER_QUERY_LIMIT"}, 1, 60, ["maps_down", "maps_over_limit"]),
        ({"status": "OVER_DAILY_LIMIT"}, 1, 60, ["maps_down", "maps_over_limit"]),
        ({"status": "UNKNOWN_ERROR"}, 2, 2, ["maps_down"]),
        ({"http": 429}, 2, 2, ["maps_down"]),
        ({"http": 500}, 2, 2, ["maps_down"]),
        ({"http": 503}, 2, 2, ["maps_down"]),
        ({"text": "<html>"}, 2, 2, ["maps_down"]),
        ({"text": "null"}, 2, 2, ["maps_down"]),
        ({"text": "[]"}, 2, 2, ["maps_down"]),
        ({"text": "{}"}, 2, 2, ["maps_down"]),
        (
            {"text": '{"status": "OK", "predictions": [{"place_id": 7}], "result": {"x": 1}, "results": [{}]}'},
            2,
            2,
            ["maps_down"],
        ),
    ],
)
def test_what_a_failure_becomes_and_how_often_it_is_tried(
    maps, provider, said, operation, error, tries, retry_after_s, measured
):
    maps.fail(operation, times=9, **error)

    with pytest.raises(MapsDown) as down:
        ASK[operation](provider)

    assert (down.value.status, down.value.retry_after_s) == (503, retry_after_s)
    assert (down.value.__cause__, down.value.__suppress_context__) == (None, True)
    assert (maps.calls, metrics(said)) == ({operation: tries}, measured)


@pytest.mark.parametrize("operation", ["autocomplete", "geocode"])
def test_a_request_of_ours_that_google_finds_wrong_is_our_trouble(maps, provider, said, operation):
    maps.fail(operation, status="INVALID_REQUEST")

    with pytest.raises(MapsDown):
        ASK[operation](provider)

    assert [told["status"] for told in map(json.loads, said) if told["severity"] == "ERROR"] == ["INVALID_REQUEST"]


@pytest.mark.parametrize("error", [{"status": "UNKNOWN_ERROR"}, {"http": 500}, {"text": ""}])
def test_what_passes_is_overcome(maps, provider, said, error):
    maps.fail("geocode", **error)

    assert provider.geocode(BROADWAY) is not None
    assert (maps.calls, metrics(said)) == ({"geocode": 2}, [])


def test_an_answer_that_takes_too_long_is_asked_for_again_and_then_given_up(maps, told):
    provider = told(timeout_s=0.1)
    maps.slow_down("geocode", delay_ms=NEVER_MS, times=2)

    with pytest.raises(MapsDown):
        provider.geocode(BROADWAY)

    assert wait_until(lambda: maps.calls == {"geocode": 2}, timeout_s=PATIENCE_S)


def test_no_try_begins_after_the_budget(maps, told):
    provider = told(attempts=50, budget_s=0.000001)
    maps.fail(times=50, http=500)

    with pytest.raises(MapsDown):
        provider.geocode(BROADWAY)

    assert maps.calls == {"geocode": 1}


def test_nobody_listening_is_down(told, nobody_listening):
    provider = told(base_url=nobody_listening)

    with pytest.raises(MapsDown):
        provider.geocode(BROADWAY)


def test_a_wrong_key_raises_an_alert(told, said):
    provider = told(api_key="AIzaAnother")

    with pytest.raises(MapsDown):
        provider.geocode(BROADWAY)

    assert metrics(said) == ["maps_down", "maps_refused"]
    assert [told["status"] for told in map(json.loads, said) if told["severity"] == "ERROR"] == ["REQUEST_DENIED"]


def test_what_is_no_key_of_googles_stops_a_function_at_start(told):
    with pytest.raises(SettingMissing, match="PF_MAPS_API_KEY"):
        told(api_key="another")


def test_neither_what_is_asked_nor_what_is_answered_nor_the_key_is_logged(maps, provider, told, said, caplog):
    caplog.set_level(python_logging.DEBUG)
    for ask in ASK.values():
        ask(provider)
    maps.fail("geocode", http=500, times=2)
    with pytest.raises(MapsDown):
        provider.geocode(BROADWAY)
    maps.slow_down("geocode", delay_ms=NEVER_MS, times=2)
    with pytest.raises(MapsDown):
        told(timeout_s=0.1).geocode(BROADWAY)
    assert wait_until(lambda: maps.calls["geocode"] == 5, timeout_s=PATIENCE_S)

    lines = (caplog.text + "\n".join(said)).lower()
    personal = ("broadway", "oklahoma", "73102", "35.46", place_id("100 n broadway").lower(), SESSION, "aiza")
    assert [word for word in personal if word in lines] == []
    assert lines.count('"message": "maps_call"') == 7

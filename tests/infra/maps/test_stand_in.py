"""Google Maps' stand-in: what it insists on, what it knows, what it would bill, and how it starts and stops."""

import signal
import subprocess
import sys
from random import Random

import googlemaps
import httpx
import pytest
from googlemaps.exceptions import ApiError, TransportError

from infra.local.maps import running_maps
from infra.local.maps.atlas import Spot, search
from infra.local.maps.regions import TOWNS, Town
from infra.local.paths import CHECKOUT
from infra.local.processes import wait_until
from infra.local.seed.places import CITIES, address_in
from tests.patience import PATIENCE_S

KEY = "AIzaA-key-for-tests"
AUTOCOMPLETE = "/maps/api/place/autocomplete/json"
DETAILS = "/maps/api/place/details/json"
GEOCODE = "/maps/api/geocode/json"
US = frozenset({"US"})


@pytest.fixture
def maps():
    with running_maps(key=KEY) as stand_in:
        yield stand_in


@pytest.fixture
def google(maps):
    client = googlemaps.Client(KEY, base_url=maps.url)
    yield client
    client.session.close()


def suggested(google, text, session="t1", country="us"):
    found = google.places_autocomplete(text, session_token=session, types="address", components={"country": country})
    return [told["description"] for told in found]


def place_id(text, country="US"):
    return search(text, frozenset({country}), most=1)[0].id


def test_an_address_is_suggested_by_the_beginnings_of_its_words(google):
    assert suggested(google, "100 n broad 73102") == ["100 N Broadway Ave, Oklahoma City, OK, USA"]
    assert suggested(google, "1200 West Broadway Tulsa") == ["1200 W Broadway Ave, Tulsa, OK, USA"]
    assert suggested(google, "100 N Broadway Ave #400, 73102") == ["100 N Broadway Ave #400, Oklahoma City, OK, USA"]
    assert suggested(google, "county road 14 enid") == ["County Road 1400, Enid, OK, USA"]
    assert len(suggested(google, "7 main")) == 5
    assert suggested(google, "7 xyzzy") == suggested(google, "7") == []


def test_only_the_countries_that_were_asked_for_are_suggested(google):
    assert suggested(google, "100 n main st toronto") == []
    assert suggested(google, "100 n main st toronto", country="ca") == ["100 N Main St, Toronto, ON, Canada"]


def test_a_suggestion_is_in_googles_shape(google):
    (told,) = google.places_autocomplete("100 N Broa 73102", session_token="t1", components={"country": "us"})

    assert told == {
        "description": "100 N Broadway Ave, Oklahoma City, OK, USA",
        "matched_substrings": [{"length": 10, "offset": 0}],
        "place_id": place_id("100 n broadway okl"),
        "reference": place_id("100 n broadway okl"),
        "structured_formatting": {
            "main_text": "100 N Broadway Ave",
            "main_text_matched_substrings": [{"length": 10, "offset": 0}],
            "secondary_text": "Oklahoma City, OK, USA",
        },
        "terms": [
            {"offset": 0, "value": "100 N Broadway Ave"},
            {"offset": 20, "value": "Oklahoma City"},
            {"offset": 35, "value": "OK"},
            {"offset": 39, "value": "USA"},
        ],
        "types": ["street_address", "geocode"],
    }


def test_a_place_is_told_in_the_fields_that_were_asked_for(google):
    id_ = place_id("100 n broadway okl")

    told = google.place(id_, session_token="t1", fields=["address_component", "geometry/location", "type"])
    bare = google.place(id_, session_token="t2", fields=["place_id"])

    assert (told["status"], bare["result"]) == ("OK", {"place_id": id_})
    assert told["result"]["types"] == ["street_address"]
    assert told["result"]["geometry"] == {"location": {"lat": 35.465015, "lng": -97.500195}}
    assert [(one["short_name"], one["types"][0]) for one in told["result"]["address_components"]] == [
        ("100", "street_number"),
        ("N Broadway Ave", "route"),
        ("Oklahoma City", "locality"),
        ("Oklahoma County", "administrative_area_level_2"),
        ("OK", "administrative_area_level_1"),
        ("US", "country"),
        ("73102", "postal_code"),
    ]


def test_places_lack_what_they_lack_in_life(google):
    def kinds(text):
        told = google.place(place_id(text), session_token=text, fields=["address_component"])
        return {one["types"][0] for one in told["result"]["address_components"]}

    assert "street_number" not in kinds("county road enid")
    assert kinds("state highway enid") & {"street_number", "postal_code"} == set()
    assert "subpremise" in kinds("100 N Broadway Ave #400 okl")


@pytest.mark.parametrize(
    ("address", "precision", "partial"),
    [
        ("100 N Broadway Ave, Oklahoma City, OK 73102", "ROOFTOP", False),
        ("100 N Broadway Ave, Oklahoma City, OK 99999", "ROOFTOP", True),
        ("12 Elm Street, Sallisaw, OK 74955-0001, USA", "ROOFTOP", False),
        ("County Road 1400, Enid, OK 73701", "GEOMETRIC_CENTER", False),
        ("PO Box 12, Tulsa, OK 74103", "APPROXIMATE", True),
    ],
)
def test_what_is_plausible_is_somewhere_and_always_there(google, address, precision, partial):
    first, again = (google.geocode(address, components={"country": "US"}) for _ in range(2))

    (found,) = first
    assert first == again
    assert (found["geometry"]["location_type"], found.get("partial_match", False)) == (precision, partial)


@pytest.mark.parametrize(
    "address",
    ["gibberish", "12 Elm Street, Sallisaw, OK 10001", "1 Main St, Toronto, ON 12345", "PO Box 1, Sallisaw, OK 74955"],
)
def test_what_is_not_plausible_is_nowhere(google, address):
    assert google.geocode(address, components={"country": "US"}) == []


def test_a_seeded_store_is_where_the_map_has_its_address(google):
    store = address_in(CITIES[1], Random(1))

    envelope = f"{store['line1']}, {store['city']}, {store['state']} {store['postal_code']}"
    (found,) = google.geocode(envelope, components={"country": "US"})

    assert found["geometry"]["location"] == {"lat": store["lat"], "lng": store["lng"]}


@pytest.mark.parametrize("key", [None, "", "AIzaAnother"])
@pytest.mark.parametrize("path", [AUTOCOMPLETE, DETAILS, GEOCODE])
def test_a_stranger_is_denied(maps, path, key):
    answer = httpx.get(maps.url + path, params={"key": key} if key is not None else {})

    assert (answer.status_code, answer.json()["status"]) == (200, "REQUEST_DENIED")
    assert maps.calls == {}


@pytest.mark.parametrize(
    ("path", "whole", "changes"),
    [
        (
            AUTOCOMPLETE,
            {"input": "100 n broad", "sessiontoken": "t", "components": "country:us"},
            [
                *({"input": ""}, {"sessiontoken": ""}, {"components": ""}, {"types": "zebra"}),
                *(
                    {"components": "country:usa"},
                    {"components": "state:OK"},
                    {"components": "|".join(["country:us"] * 7)},
                ),
            ],
        ),
        (
            DETAILS,
            {"placeid": place_id("100 n broad"), "sessiontoken": "t", "fields": "address_component"},
            [
                *({"placeid": ""}, {"sessiontoken": ""}, {"fields": ""}, {"fields": "height"}),
                *({"placeid": "nothing"}, {"placeid": "ChIJnothing"}, {"placeid": "ChIJbnVsbA"}),
            ],
        ),
        (GEOCODE, {"address": "12 Elm St, Sallisaw, OK 74955", "components": "country:US"}, [{"address": ""}]),
    ],
)
def test_a_call_that_lacks_something_is_invalid(maps, path, whole, changes):
    def status(params):
        return httpx.get(maps.url + path, params={"key": KEY, **params}).json()["status"]

    assert status(whole) == "OK"
    assert {status({**whole, **change}) for change in changes} == {"INVALID_REQUEST"}


def test_a_place_that_is_no_more_is_not_found(google):
    gone = Spot(Town("Atlantis", None, ("OK", "Oklahoma"), ("US", "United States"), "73999", 0, 0), "N Main St", "1").id

    with pytest.raises(ApiError) as refused:
        google.place(gone, session_token="t", fields=["place_id"])

    assert refused.value.status == "NOT_FOUND"


def test_a_session_ends_with_a_place_and_its_token_is_worth_nothing_after(maps, google):
    id_ = place_id("100 n broadway")
    for text in ("100 n", "100 n bro"):
        suggested(google, text, "one")
    suggested(google, "7 main", "left open")

    google.place(id_, session_token="one", fields=["place_id"])
    suggested(google, "100 n", "one")
    google.place(id_, session_token="one", fields=["place_id"])

    assert maps.sessions == {"open": 1, "ended": 1, "billed_alone": 2}
    assert maps.calls == {"autocomplete": 4, "details": 2}


def test_it_fails_and_is_slow_on_demand_over_http(maps, google):
    control = f"{maps.url}/_control"
    httpx.post(control, json={"operation": "geocode", "fail": {"status": "UNKNOWN_ERROR"}})
    httpx.post(control, json={"fail": {"http": 500}, "operation": "geocode"})
    httpx.post(control, json={"fail": {"text": "<html>"}, "operation": "geocode", "times": 1})
    httpx.post(control, json={"operation": "geocode", "delay_ms": 300})
    untouched = suggested(google, "100 n broad 73102")
    url, params = maps.url + GEOCODE, {"key": KEY, "address": "1 Main St, Tulsa, OK 74103", "components": "country:us"}

    unknown, failed, garbled = (httpx.get(url, params=params) for _ in range(3))
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(url, params=params, timeout=0.1)
    never = httpx.post(control, json={"fail": {}, "times": 0})
    forgotten = httpx.post(control, json={"reset": True})

    assert untouched == ["100 N Broadway Ave, Oklahoma City, OK, USA"]
    assert (unknown.status_code, unknown.json()["status"], failed.status_code) == (200, "UNKNOWN_ERROR", 500)
    assert (garbled.status_code, garbled.text) == (200, "<html>")
    assert never.status_code == 400
    assert forgotten.json() == {"calls": {}, "sessions": {"open": 0, "ended": 0, "billed_alone": 0}}


def test_what_it_does_not_serve_it_does_not_pretend(google):
    with pytest.raises(TransportError, match="404"):
        google.timezone((35.4, -97.5))


def test_it_knows_every_city_of_the_seed():
    assert {city.name for city in CITIES} <= {town.name for town in TOWNS}


def test_it_runs_as_a_process(tmp_path):
    ready = tmp_path / "ready"
    command = [sys.executable, "-m", "infra.local.maps", f"--key={KEY}", "--ready-file", str(ready)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    try:
        assert wait_until(lambda: ready.exists() and bool(ready.read_text()), timeout_s=PATIENCE_S)
        url = ready.read_text()
        looked = httpx.get(f"{url}/_control").json()
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=PATIENCE_S)

    assert looked["calls"] == {}
    assert (process.returncode, said) == (0, f"Google Maps' stand-in listens on {url}.\n")

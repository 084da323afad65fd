"""The stand-in over HTTP: what each call must carry, and Google's words for what is wrong with it."""

import json
from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Any

from flask import Flask, Response, request

from infra.local.maps.answers import DETAILS_FIELDS, details, geocoded, prediction
from infra.local.maps.atlas import NoPlaceId, locate, search, spot_of
from infra.local.maps.errors import MapsError, denied, invalid, ordered, refusal
from infra.local.maps.sessions import Sessions
from infra.local.standins.faults import Faults

Json = dict[str, Any]

_MOST_PREDICTIONS = 5
_MOST_COUNTRIES = 5


class MapsApp:
    """All of the stand-in but the socket. `key` is the only API key accepted; any, without it."""

    def __init__(self, *, key: str | None = None) -> None:
        self.faults = Faults(ordered)
        self.calls: Counter[str] = Counter()
        self.sessions = Sessions()
        self._key = key
        self._lock = Lock()
        self.wsgi = self._flask()

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self.calls.clear()
        self.faults.clear()
        self.sessions.clear()

    def _flask(self) -> Flask:
        app = Flask("maps", static_folder=None)
        routes: tuple[tuple[str, str, Callable[[], Json]], ...] = (
            ("/maps/api/place/autocomplete/json", "autocomplete", self._autocomplete),
            ("/maps/api/place/details/json", "details", self._details),
            ("/maps/api/geocode/json", "geocode", self._geocode),
        )
        for path, operation, answer in routes:
            app.add_url_rule(path, operation, self._view(operation, answer), methods=["GET"])
        app.add_url_rule("/_control", "control", self._control, methods=["POST"])
        app.add_url_rule("/_control", "look", self._look, methods=["GET"])
        app.register_error_handler(MapsError, lambda error: _answer(error.body, error.http_status))
        return app

    def _view(self, operation: str, answer: Callable[[], Json]) -> Callable[[], Response]:
        def view() -> Response:
            self._admit()
            with self._lock:
                self.calls[operation] += 1
            with self.faults.meeting(operation):
                told = answer()
            return _answer(json.dumps(told), 200)

        return view

    def _admit(self) -> None:
        key = request.args.get("key")
        if not key:
            raise denied("You must use an API key to authenticate each request to Google Maps Platform APIs.")
        if self._key not in (None, key):
            raise denied("The provided API key is invalid.")

    def _autocomplete(self) -> Json:
        text, token, countries = _needed("input"), _needed("sessiontoken"), _countries()
        kind = request.args.get("types", "address")
        if kind not in ("address", "geocode"):
            raise invalid("The types parameter names what this map has not.")
        self.sessions.suggested(token)
        found = search(text, countries, most=_MOST_PREDICTIONS)
        return _found("predictions", [prediction(spot, text) for spot in found])

    def _details(self) -> Json:
        place_id = request.args.get("place_id") or _needed("placeid")
        # Google lets both be left out, and then bills every call by itself and every field that it has.
        token, fields = _needed("sessiontoken"), frozenset(_needed("fields").split(","))
        if not fields <= DETAILS_FIELDS:
            raise invalid("Error while parsing 'fields' parameter: Unsupported field name.")
        try:
            spot = spot_of(place_id)
        except NoPlaceId:
            raise invalid("Invalid 'placeid' parameter.") from None
        if spot is None:
            raise refusal("NOT_FOUND", "The provided Place ID is no longer valid.")
        self.sessions.resolved(token)
        return {"html_attributions": [], "result": details(spot, fields), "status": "OK"}

    def _geocode(self) -> Json:
        address, countries = _needed("address"), _countries()
        found = locate(address)
        if found is None or found[0].town.country[0] not in countries:
            return _found("results", [])
        spot, partial = found
        return _found("results", [geocoded(spot, partial=partial)])

    def _control(self) -> Response:
        """Order a fault, or forget everything."""
        body: Json = request.get_json()
        if body.get("reset"):
            self.reset()
        self.faults.obey(body)
        return self._look()

    def _look(self) -> Response:
        """How often each call arrived, and how the sessions stand."""
        with self._lock:
            calls = dict(self.calls)
        return _answer(json.dumps({"calls": calls, "sessions": self.sessions.counts()}), 200)


def _needed(parameter: str) -> str:
    value = request.args.get(parameter, "").strip()
    if not value:
        raise invalid(f"Missing the '{parameter}' parameter.")
    return value


def _countries() -> frozenset[str]:
    """The countries that `components=country:us|country:ca` names; Google would take none for all."""
    parts = [part.partition(":") for part in _needed("components").split("|")]
    countries = frozenset(code.upper() for name, _, code in parts if name == "country" and len(code) == 2)
    if len(countries) != len(parts) or len(countries) > _MOST_COUNTRIES:
        raise invalid("Invalid 'components' parameter.")
    return countries


def _found(name: str, spots: list[Json]) -> Json:
    return {name: spots, "status": "OK" if spots else "ZERO_RESULTS"}


def _answer(body: str, status: int) -> Response:
    return Response(body, status=status, content_type="application/json; charset=UTF-8")

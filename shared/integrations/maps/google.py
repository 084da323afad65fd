"""Maps over Google's official client; PF_MAPS_BASE_URL may point it to a stand-in.

What is asked and answered is personal, and the client's errors hold whole URLs with both and our key:
so nothing of them is logged, nor chained to what we raise.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, Field, TypeAdapter

from shared.integrations.maps.choice import MapsSettings
from shared.integrations.maps.provider import (
    Envelope,
    MapsDown,
    Place,
    PlaceAbroad,
    PlaceIncomplete,
    PlaceNotFound,
    Position,
    Suggestion,
)
from shared.kit.logging import log, metric

Answer = TypeVar("Answer")

# Where a city's name may stand, the best first: boroughs and some towns are no localities to Google.
_CITY_KINDS = ("locality", "sublocality_level_1", "administrative_area_level_3", "neighborhood")
_FIELDS = ["address_component", "geometry/location"]
_COUNTRY = "US"
# Words of Google: developers.google.com/maps/documentation/places/web-service/details#PlacesDetailsStatus
_NO_SUCH_PLACE = frozenset({"NOT_FOUND", "INVALID_REQUEST", "ZERO_RESULTS"})
_OVER_LIMIT = frozenset({"OVER_QUERY_LIMIT", "OVER_DAILY_LIMIT", "RESOURCE_EXHAUSTED"})
_DOES_NOT_KNOW_US = "REQUEST_DENIED"
_PASSES = "UNKNOWN_ERROR"
# Neither a spent quota nor a refused key mends itself within seconds.
_LONG_WAIT_S = 60


class _Located(BaseModel):
    lat: float = Field(ge=-90, le=90)
    lng: float = Field(ge=-180, le=180)


class _Geometry(BaseModel):
    location: _Located
    location_type: str = ""

    @property
    def position(self) -> Position:
        return Position(self.location.lat, self.location.lng)


class _Component(BaseModel):
    long_name: str
    short_name: str
    types: list[str]


class _Found(BaseModel):
    address_components: list[_Component]
    geometry: _Geometry

    def part(self, *kinds: str) -> str | None:
        """The short name of the first of these parts that is there; a short name is how the post writes it."""
        for kind in kinds:
            for component in self.address_components:
                if kind in component.types:
                    return component.short_name
        return None


class _Formatting(BaseModel):
    main_text: str
    secondary_text: str = ""


class _Prediction(BaseModel):
    place_id: str
    description: str
    structured_formatting: _Formatting


class _Details(BaseModel):
    status: str
    result: _Found | None = None


_PREDICTIONS = TypeAdapter(list[_Prediction])
_RESULTS = TypeAdapter(list[_Found])


class _TryAgain(Exception):
    """This try came to nothing, another may not."""


class _Refused(Exception):
    """Google will not do this."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class GoogleMaps:
    """Implements MapProvider."""

    def __init__(self, settings: MapsSettings) -> None:
        import googlemaps

        # At the level DEBUG it writes the URL of every request to the log.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.WARNING)
        self._settings = settings
        self._client = googlemaps.Client(
            settings.maps_api_key,
            base_url=settings.maps_base_url,
            timeout=settings.maps_timeout_s,
            retry_over_query_limit=False,
        )
        self._client.session.hooks["response"] = [_end_try]

    def suggest(self, text: str, *, session_token: str) -> list[Suggestion]:
        found = self._ask(
            "autocomplete",
            lambda: _PREDICTIONS.validate_python(
                self._client.places_autocomplete(
                    text, session_token=session_token, types="address", components={"country": _COUNTRY}
                )
            ),
        )
        return [
            Suggestion(
                one.place_id,
                one.description,
                one.structured_formatting.main_text,
                one.structured_formatting.secondary_text,
            )
            for one in found
        ]

    def resolve(self, place_id: str, *, session_token: str) -> Place:
        try:
            found = self._ask(
                "details",
                lambda: _Details.model_validate(
                    self._client.place(place_id, session_token=session_token, fields=_FIELDS)
                ),
                refusals=_NO_SUCH_PLACE,
            )
        except _Refused:
            raise PlaceNotFound from None
        if found.result is None:
            raise PlaceNotFound
        return _place(found.result)

    def geocode(self, envelope: Envelope) -> Position | None:
        written = f"{envelope.line1}, {envelope.city}, {envelope.state} {envelope.postal_code}"
        found = self._ask(
            "geocode",
            lambda: _RESULTS.validate_python(self._client.geocode(written, components={"country": _COUNTRY})),
        )
        return next((one.geometry.position for one in found if _is_meant(one, envelope)), None)

    def _ask(self, operation: str, send: Callable[[], Answer], *, refusals: frozenset[str] = frozenset()) -> Answer:
        """What Google answers. Raises _Refused for one of `refusals`, MapsDown for everything else that is none."""
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay
        from tenacity import wait_random_exponential as backoff

        tries = Retrying(
            retry=retry_if_exception_type(_TryAgain),
            stop=stop_after_attempt(self._settings.maps_attempts) | stop_after_delay(self._settings.maps_budget_s),
            wait=backoff(multiplier=self._settings.maps_retry_wait_s, max=1),
            reraise=True,
        )
        try:
            answer: Answer = tries(_try, operation, send)
        except _TryAgain:
            metric("maps_down", operation=operation)
            raise MapsDown from None
        except _Refused as refused:
            if refused.status in refusals:
                raise
            metric("maps_down", operation=operation)
            raise _meaning(refused.status) from None
        return answer


def _end_try(answer: Any, *_: Any, **__: Any) -> None:
    """The client would try failures again for a minute; what is raised while it receives ends its try at once."""
    if not answer.ok:
        answer.close()
        answer.raise_for_status()


def _try(operation: str, send: Callable[[], Answer]) -> Answer:
    from googlemaps.exceptions import ApiError, Timeout, TransportError

    started = time.perf_counter()
    try:
        answer = send()
    except ApiError as error:
        _log(operation, started, status=error.status)
        raise (_TryAgain() if error.status == _PASSES else _Refused(str(error.status))) from None
    except (TransportError, Timeout) as error:
        _log(operation, started, outcome="lost", error_type=type(error).__name__)
        raise _TryAgain from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # not JSON, or not what Google says in JSON
        _log(operation, started, outcome="garbled", error_type=type(error).__name__)
        raise _TryAgain from None
    _log(operation, started, outcome="ok")
    return answer


def _meaning(status: str) -> MapsDown:
    """A refusal that no caller can help: our quota, our key, or a request that we got wrong."""
    if status in _OVER_LIMIT:
        metric("maps_over_limit")
    else:
        log.error("maps_refuses_us", status=status)
    if status == _DOES_NOT_KNOW_US:
        metric("maps_refused")
    return MapsDown(retry_after_s=_LONG_WAIT_S)


def _place(found: _Found) -> Place:
    """Google's parts as our address. Raises PlaceAbroad, PlaceIncomplete."""
    if found.part("country") != _COUNTRY:
        raise PlaceAbroad
    street, city, state = found.part("route"), found.part(*_CITY_KINDS), found.part("administrative_area_level_1")
    postal_code = found.part("postal_code")
    if street is None or city is None or state is None or postal_code is None:
        raise PlaceIncomplete
    number, unit, more = found.part("street_number"), found.part("subpremise"), found.part("postal_code_suffix")
    return Place(
        # Places in the country may have a road and no number.
        line1=f"{number} {street}" if number else street,
        # Google tells a unit without its kind; the post then wants this sign (USPS Publication 28, section 213.2).
        line2=f"# {unit}" if unit else None,
        city=city,
        state=state,
        postal_code=f"{postal_code}-{more}" if more else postal_code,
        position=found.geometry.position,
    )


def _is_meant(found: _Found, envelope: Envelope) -> bool:
    """Whether it is the street of this envelope, and not merely the middle of a town, or a namesake elsewhere."""
    city = found.part(*_CITY_KINDS) or ""
    return (
        found.geometry.location_type != "APPROXIMATE"
        and found.part("country") == _COUNTRY
        and found.part("administrative_area_level_1") == envelope.state
        and (found.part("postal_code") == envelope.postal_code[:5] or city.casefold() == envelope.city.casefold())
    )


def _log(operation: str, started: float, **outcome: Any) -> None:
    duration_ms = round((time.perf_counter() - started) * 1000, 1)
    log.info("maps_call", operation=operation, duration_ms=duration_ms, **outcome)

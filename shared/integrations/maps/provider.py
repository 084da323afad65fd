"""What we want of whoever draws our maps, in our own words and without its client."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from shared.kit.errors import DependencyDown, InvalidRequest, NotFound


@dataclass(frozen=True)
class Suggestion:
    """An address that may be meant, in one line and in two; `place_id` is the provider's own word for it."""

    place_id: str
    text: str
    main_text: str
    secondary_text: str


@dataclass(frozen=True)
class Position:
    """Degrees of WGS 84."""

    lat: float
    lng: float


@dataclass(frozen=True)
class Place:
    """An address in the United States; `state` is its two-letter code."""

    line1: str
    line2: str | None
    city: str
    state: str
    postal_code: str
    position: Position


@dataclass(frozen=True)
class Envelope:
    """What somebody writes for the post to find an address in the United States."""

    line1: str
    city: str
    state: str
    postal_code: str


class MapsDown(DependencyDown):
    """The provider does not answer, has had enough of us, or does not know us."""

    default_message = "Addresses cannot be looked up right now; try again shortly."


class PlaceNotFound(NotFound):
    default_message = "There is no such place; choose another suggestion."


class PlaceNotUsable(InvalidRequest):
    """There is such a place, but it is no address of ours."""

    reason: ClassVar[str]
    remedy: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(details={"reason": self.reason, "fields": [{"path": "place_id", "message": self.remedy}]})


class PlaceAbroad(PlaceNotUsable):
    reason = "outside_us"
    remedy = "This place is not in the United States."


class PlaceIncomplete(PlaceNotUsable):
    reason = "not_an_address"
    remedy = "This place lacks a street, a city or a ZIP code; choose a more precise one."


class MapProvider(Protocol):
    """Knows addresses. Every method may raise MapsDown.

    `session_token` is the same for all that one person types until a suggestion is resolved, and another
    one after that: providers bill by it.
    """

    def suggest(self, text: str, *, session_token: str) -> list[Suggestion]:
        """Addresses in the United States that begin like `text`, the likeliest first."""
        ...

    def resolve(self, place_id: str, *, session_token: str) -> Place:
        """The address behind a suggestion. Raises PlaceNotFound, PlaceAbroad, PlaceIncomplete."""
        ...

    def geocode(self, envelope: Envelope) -> Position | None:
        """Where an address is; None unless its street is found in its own city or ZIP code."""
        ...

"""The addresses of the map: found by their beginnings, by their ids, and by what people write on envelopes.

Every town has the streets of the seed and some more, with every number that somebody thinks of.
"""

import base64
import json
import re
from dataclasses import dataclass

from infra.local.maps.regions import TOWNS, Town, find_town, imagine_town
from infra.local.seed.places import STREETS, position_near

_RURAL = "County Road 1400"
"""Has no house numbers."""
_HIGHWAY = "State Highway 9"
"""Has none either, and is too long for one ZIP code."""
_ALL_STREETS = (*STREETS, "N Broadway Ave", "S Robinson Ave", "W Reno Ave", "E 1st St", "W 1st St", _RURAL, _HIGHWAY)
_UNNUMBERED = frozenset({_RURAL, _HIGHWAY})

_SHORT = {
    "street": "st",
    "avenue": "ave",
    "boulevard": "blvd",
    "road": "rd",
    "drive": "dr",
    "lane": "ln",
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
    "suite": "ste",
    "highway": "hwy",
}
_LONG = {short: long for long, short in _SHORT.items()}
_KINDS_OF_STREETS = frozenset(
    [
        "st",
        "ave",
        "blvd",
        "rd",
        "dr",
        "ln",
        "ct",
        "pl",
        "way",
        "ter",
        "cir",
        "pkwy",
        "hwy",
        "loop",
        "trl",
        "sq",
        "aly",
        "row",
        "xing",
        "route",
        "broadway",
    ]
)
_ENVELOPE = re.compile(
    r"(?P<line1>[^,]+), (?:[^,]+, )*?(?P<city>[^,]+), (?P<state>[A-Z]{2}) (?P<zip>\d{5})(?:-\d{4})?(?:, USA?)?"
)
_NUMBERED = re.compile(r"(?P<number>\d{1,6}[A-Za-z]?) (?P<street>.+)")
_UNIT = re.compile(r" #(?P<unit>\w+)")


@dataclass(frozen=True)
class Spot:
    """A place on the map: an address, or without a number a street, or without a street a town."""

    town: Town
    street: str | None = None
    number: str | None = None
    unit: str | None = None

    @property
    def line1(self) -> str:
        return " ".join(part for part in (self.number, self.street) if part)

    @property
    def line(self) -> str:
        """The first line with the unit."""
        return f"{self.line1} #{self.unit}" if self.unit else self.line1

    @property
    def postal_code(self) -> str | None:
        return None if self.street == _HIGHWAY else self.town.postal_code

    @property
    def position(self) -> tuple[float, float]:
        return (
            position_near(self.town.lat, self.town.lng, self.line1) if self.street else (self.town.lat, self.town.lng)
        )

    @property
    def id(self) -> str:
        """A place id, from which `spot_of` finds the spot again."""
        told = [self.town.name, self.town.state[0], self.street, self.number, self.unit]
        return "ChIJ" + base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


class NoPlaceId(ValueError):
    """This was never the id of a place."""


def spot_of(place_id: str) -> Spot | None:
    """The place of this id; None for one that is no more. Raises NoPlaceId."""
    if not place_id.startswith("ChIJ"):
        raise NoPlaceId(place_id)
    coded = place_id.removeprefix("ChIJ")
    try:
        name, state, street, number, unit = json.loads(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)))
    except (ValueError, TypeError) as error:
        raise NoPlaceId(place_id) from error
    town = next((town for town in TOWNS if (town.name, town.state[0]) == (name, state)), None)
    return Spot(town, street, number, unit) if town is not None and street in _ALL_STREETS else None


def search(text: str, countries: frozenset[str], *, most: int) -> list[Spot]:
    """Addresses whose words begin with the words of `text`, in the order of the map."""
    unit = _UNIT.search(text)
    words = _words(_UNIT.sub("", text))
    number = words.pop(0) if words and re.fullmatch(r"\d{1,6}", words[0]) else None
    if not words:
        return []
    spots = (
        Spot(town, street, number, unit["unit"] if unit and number else None)
        for street in _ALL_STREETS
        for town in TOWNS
        if town.country[0] in countries and not (number and street in _UNNUMBERED)
    )
    return [spot for spot in spots if _begins(spot, words)][:most]


def locate(envelope: str) -> tuple[Spot, bool] | None:
    """The spot that an address in one line means, and whether that is only a part of what it says."""
    written = _ENVELOPE.fullmatch(envelope)
    if written is None:
        return None
    told = (written["city"], written["state"], written["zip"])
    known = find_town(*told)
    town = known or imagine_town(*told)
    if town is None:
        return None
    line = _NUMBERED.fullmatch(written["line1"])
    street = line["street"] if line else written["line1"]
    if _KINDS_OF_STREETS.isdisjoint(_forms(street)):
        return (Spot(town), True) if known else None
    partial = written["zip"] != town.postal_code or written["city"].casefold() != town.name.casefold()
    return Spot(town, street, line["number"] if line else None), partial


def _begins(spot: Spot, words: list[str]) -> bool:
    """The first word begins one of the street's, the others any of the address's."""
    town = spot.town
    of_street = _forms(spot.street or "")
    of_town = _forms(" ".join((town.name, *town.state, *town.country, town.postal_code)))
    return any(one.startswith(words[0]) for one in of_street) and all(
        any(one.startswith(word) for one in (*of_street, *of_town)) for word in words[1:]
    )


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _forms(text: str) -> set[str]:
    """The words of a name, written out and shortened."""
    return {form for word in _words(text) for form in (word, _SHORT.get(word, word), _LONG.get(word, word))}

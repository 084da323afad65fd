"""The ground of the map: states with the ZIP codes and the box that they fill, and the towns that it knows by name."""

import hashlib
from dataclasses import dataclass

from infra.local.seed.places import CITIES


@dataclass(frozen=True)
class State:
    """A state of the US: the first three digits of its ZIP codes, and a box within it (south, west, north, east)."""

    code: str
    name: str
    zips: tuple[range, ...]
    box: tuple[float, float, float, float]

    def has_zip(self, postal_code: str) -> bool:
        return any(int(postal_code[:3]) in zips for zips in self.zips)


@dataclass(frozen=True)
class Town:
    """A town anywhere; `country` and `state` are codes and names."""

    name: str
    county: str | None
    state: tuple[str, str]
    country: tuple[str, str]
    postal_code: str
    lat: float
    lng: float


_US = ("US", "United States")
_STATES = (
    State("OK", "Oklahoma", (range(730, 732), range(734, 742), range(743, 750)), (34.5, -99.5, 36.8, -95.0)),
    State("TX", "Texas", (range(750, 800), range(733, 734), range(885, 886)), (28.0, -100.5, 33.0, -95.0)),
    State("KS", "Kansas", (range(660, 680),), (37.2, -101.5, 39.8, -95.0)),
    State("AR", "Arkansas", (range(716, 730),), (33.2, -94.0, 36.3, -91.0)),
    State("MO", "Missouri", (range(630, 659),), (37.0, -94.4, 40.3, -91.8)),
    State("CO", "Colorado", (range(800, 817),), (37.2, -108.5, 40.8, -102.5)),
    State("NM", "New Mexico", (range(870, 885),), (32.5, -108.5, 36.8, -103.5)),
)
STATES = {state.code: state for state in _STATES}


def _town(name: str, county: str, state: str, postal_code: str, lat: float, lng: float) -> Town:
    return Town(name, county, (state, STATES[state].name), _US, postal_code, lat, lng)


TOWNS = (
    *(_town(city.name, city.county, "OK", city.postal_code, city.lat, city.lng) for city in CITIES),
    _town("Dallas", "Dallas County", "TX", "75202", 32.7767, -96.7970),
    _town("Wichita", "Sedgwick County", "KS", "67202", 37.6872, -97.3301),
    _town("Fort Smith", "Sebastian County", "AR", "72901", 35.3859, -94.3985),
    _town("Joplin", "Jasper County", "MO", "64801", 37.0842, -94.5133),
    _town("Denver", "Denver County", "CO", "80202", 39.7392, -104.9903),
    Town("Toronto", None, ("ON", "Ontario"), ("CA", "Canada"), "M5H 2N2", 43.6532, -79.3832),
)


def find_town(name: str, state: str, postal_code: str) -> Town | None:
    """The town of this name in this state of the US, else the one of this ZIP code."""
    ours = [town for town in TOWNS if town.country == _US and town.state[0] == state]
    named = (town for town in ours if town.name.casefold() == name.casefold())
    coded = (town for town in ours if town.postal_code == postal_code)
    return next(named, None) or next(coded, None)


def imagine_town(name: str, state: str, postal_code: str) -> Town | None:
    """A town that the map does not know by name, somewhere in its state, if the ZIP code may be there."""
    found = STATES.get(state)
    if found is None or not found.has_zip(postal_code):
        return None
    south, west, north, east = found.box
    digest = hashlib.sha256(postal_code.encode()).digest()
    up, right = (int.from_bytes(part) / 2**32 for part in (digest[:4], digest[4:8]))
    return Town(
        name.title(),
        None,
        (found.code, found.name),
        _US,
        postal_code,
        south + up * (north - south),
        west + right * (east - west),
    )

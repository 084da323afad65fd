"""Where the stores are: cities of Oklahoma with their ZIP codes and positions, and streets that all of them have."""

import hashlib
from dataclasses import dataclass
from random import Random

STREETS = ("N Main St", "S Boulevard St", "W Broadway Ave", "E Cherokee Ave", "N Washington St", "S Western Ave")

_SPREAD_DEGREES = 0.03


@dataclass(frozen=True)
class City:
    """A city with its county, and the ZIP code and the position of its centre, in degrees (WGS 84)."""

    name: str
    postal_code: str
    lat: float
    lng: float
    county: str


CITIES = (
    City("Oklahoma City", "73102", 35.4689, -97.5164, "Oklahoma County"),
    City("Tulsa", "74103", 36.1540, -95.9928, "Tulsa County"),
    City("Norman", "73069", 35.2226, -97.4395, "Cleveland County"),
    City("Broken Arrow", "74012", 36.0526, -95.7908, "Tulsa County"),
    City("Edmond", "73034", 35.6528, -97.4781, "Oklahoma County"),
    City("Lawton", "73501", 34.6087, -98.3903, "Comanche County"),
    City("Moore", "73160", 35.3395, -97.4867, "Cleveland County"),
    City("Stillwater", "74074", 36.1156, -97.0584, "Payne County"),
    City("Enid", "73701", 36.3956, -97.8784, "Garfield County"),
    City("Muskogee", "74401", 35.7479, -95.3697, "Muskogee County"),
    City("Bartlesville", "74003", 36.7473, -95.9808, "Washington County"),
    City("Shawnee", "74801", 35.3273, -96.9253, "Pottawatomie County"),
    City("Ponca City", "74601", 36.7070, -97.0856, "Kay County"),
    City("Ardmore", "73401", 34.1743, -97.1436, "Carter County"),
    City("Duncan", "73533", 34.5023, -97.9578, "Stephens County"),
    City("McAlester", "74501", 34.9334, -95.7697, "Pittsburg County"),
    City("Tahlequah", "74464", 35.9154, -94.9700, "Cherokee County"),
    City("Durant", "74701", 33.9940, -96.3971, "Bryan County"),
    City("Guymon", "73942", 36.6828, -101.4816, "Texas County"),
    City("Woodward", "73801", 36.4337, -99.3904, "Woodward County"),
)


def address_in(city: City, rng: Random) -> dict[str, object]:
    """The address columns of a store within a few kilometres of the city's centre."""
    line1 = f"{rng.randint(1, 98) * 100 + rng.randint(1, 99)} {rng.choice(STREETS)}"
    lat, lng = position_near(city.lat, city.lng, line1)
    return {
        "line1": line1,
        "city": city.name,
        "state": "OK",
        "postal_code": city.postal_code,
        "lat": lat,
        "lng": lng,
    }


def position_near(lat: float, lng: float, line1: str) -> tuple[float, float]:
    """Where this line of an address is around a centre: the same for everybody who asks, the map included."""
    digest = hashlib.sha256(line1.casefold().encode()).digest()
    north, east = (int.from_bytes(part) / 2**32 * 2 - 1 for part in (digest[:4], digest[4:8]))
    return round(lat + north * _SPREAD_DEGREES, 6), round(lng + east * _SPREAD_DEGREES, 6)

"""Where the stores are: cities of Oklahoma with their ZIP codes and positions, and streets that most of them have."""

from dataclasses import dataclass
from random import Random

_STREETS = ("N Main St", "S Boulevard St", "W Broadway Ave", "E Cherokee Ave", "N Washington St", "S Western Ave")


@dataclass(frozen=True)
class City:
    """A city with the ZIP code and the position of its centre, in degrees (WGS 84)."""

    name: str
    postal_code: str
    lat: float
    lng: float


CITIES = (
    City("Oklahoma City", "73102", 35.4689, -97.5164),
    City("Tulsa", "74103", 36.1540, -95.9928),
    City("Norman", "73069", 35.2226, -97.4395),
    City("Broken Arrow", "74012", 36.0526, -95.7908),
    City("Edmond", "73034", 35.6528, -97.4781),
    City("Lawton", "73501", 34.6087, -98.3903),
    City("Moore", "73160", 35.3395, -97.4867),
    City("Stillwater", "74074", 36.1156, -97.0584),
    City("Enid", "73701", 36.3956, -97.8784),
    City("Muskogee", "74401", 35.7479, -95.3697),
    City("Bartlesville", "74003", 36.7473, -95.9808),
    City("Shawnee", "74801", 35.3273, -96.9253),
    City("Ponca City", "74601", 36.7070, -97.0856),
    City("Ardmore", "73401", 34.1743, -97.1436),
    City("Duncan", "73533", 34.5023, -97.9578),
    City("McAlester", "74501", 34.9334, -95.7697),
    City("Tahlequah", "74464", 35.9154, -94.9700),
    City("Durant", "74701", 33.9940, -96.3971),
    City("Guymon", "73942", 36.6828, -101.4816),
    City("Woodward", "73801", 36.4337, -99.3904),
)


def address_in(city: City, rng: Random) -> dict[str, object]:
    """The address columns of a store within a few kilometres of the city's centre."""
    return {
        "line1": f"{rng.randint(1, 98) * 100 + rng.randint(1, 99)} {rng.choice(_STREETS)}",
        "city": city.name,
        "state": "OK",
        "postal_code": city.postal_code,
        "lat": round(city.lat + rng.uniform(-0.03, 0.03), 6),
        "lng": round(city.lng + rng.uniform(-0.03, 0.03), 6),
    }

"""Maps: addresses suggested while they are typed, told by their parts, and put on the globe."""

from shared.integrations.maps.choice import MapsSettings, map_provider
from shared.integrations.maps.provider import (
    Envelope,
    MapProvider,
    MapsDown,
    Place,
    PlaceAbroad,
    PlaceIncomplete,
    PlaceNotFound,
    PlaceNotUsable,
    Position,
    Suggestion,
)

__all__ = [
    "Envelope",
    "MapProvider",
    "MapsDown",
    "MapsSettings",
    "Place",
    "PlaceAbroad",
    "PlaceIncomplete",
    "PlaceNotFound",
    "PlaceNotUsable",
    "Position",
    "Suggestion",
    "map_provider",
]

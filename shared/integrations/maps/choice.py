"""Whose maps: settings, and the warm provider of this instance."""

from functools import lru_cache

from pydantic import Field

from shared.integrations.maps.provider import MapProvider
from shared.kit.config import Settings


class MapsSettings(Settings):
    """Google Maps, or the address of a stand-in; our key; time limits.

    One try takes `maps_timeout_s` at most; no try begins after `maps_budget_s` of one call.
    """

    maps_base_url: str = "https://maps.googleapis.com"
    maps_api_key: str = Field(pattern="^AIza")
    maps_timeout_s: float = Field(default=2.5, gt=0)
    maps_attempts: int = Field(default=2, ge=1)
    maps_budget_s: float = Field(default=4.0, gt=0)
    maps_retry_wait_s: float = Field(default=0.1, ge=0)


def map_provider() -> MapProvider:
    """The warm provider of this instance, made at first use."""
    return _provider(MapsSettings.current())


@lru_cache(maxsize=1)
def _provider(settings: MapsSettings) -> MapProvider:
    from shared.integrations.maps.google import GoogleMaps

    return GoogleMaps(settings)

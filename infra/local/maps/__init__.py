"""A stand-in for Google Maps: the calls by which addresses are suggested, resolved and geocoded, with real refusals."""

from infra.local.maps.running import StandIn, running_maps

__all__ = ["StandIn", "running_maps"]

"""A stand-in for Square: the same paths and shapes for what we use, over real HTTP, with real refusals."""

from infra.local.square.running import StandIn, running_square

__all__ = ["StandIn", "running_square"]

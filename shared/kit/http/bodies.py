"""What a route takes as its body: one content type, up to a size."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Body:
    """A body of `content_type` with at most `max_mib` MiB. `example` documents one that is not JSON."""

    content_type: str
    max_mib: int = 1
    example: str = ""

    @property
    def max_bytes(self) -> int:
        return self.max_mib * MIB


JSON = Body("application/json")
"""What a route takes that says nothing."""

"""A postal address with its position, as columns of a table and as a shape on the wire."""

from pydantic import Field, ValidationInfo, field_validator
from sqlalchemy.orm import Mapped, mapped_column

from shared.identity.fields import AddressLine
from shared.kit.schemas import Request, Response


class WrittenAddressColumns:
    """The columns of what is written on an envelope."""

    line1: Mapped[str]
    line2: Mapped[str | None]
    city: Mapped[str]
    state: Mapped[str] = mapped_column()
    postal_code: Mapped[str]
    country: Mapped[str] = mapped_column(server_default="US")


class AddressColumns(WrittenAddressColumns):
    """The columns of an address that is on the map."""

    lat: Mapped[float]
    lng: Mapped[float]


class WrittenAddress(Request):
    """A US address as people write it; `state` is the two-letter code, the position, if given, in degrees (WGS 84)."""

    line1: AddressLine
    line2: AddressLine | None = None
    city: AddressLine
    state: str = Field(pattern=r"^[A-Z]{2}$")
    postal_code: str = Field(pattern=r"^[0-9]{5}(-[0-9]{4})?$")
    country: str = Field(default="US", pattern="^US$")
    lat: float | None = Field(default=None, ge=-90, le=90)
    lng: float | None = Field(default=None, ge=-180, le=180, validate_default=True)

    @field_validator("lng")
    @classmethod
    def _both_or_neither(cls, lng: float | None, info: ValidationInfo) -> float | None:
        if "lat" in info.data and (info.data["lat"] is None) != (lng is None):
            raise ValueError("give both lat and lng, or neither")
        return lng

    @property
    def position(self) -> tuple[float, float] | None:
        """Latitude and longitude, if they are there."""
        return None if self.lat is None or self.lng is None else (self.lat, self.lng)

    example = {
        "line1": "100 N Broadway Ave",
        "line2": None,
        "city": "Oklahoma City",
        "state": "OK",
        "postal_code": "73102",
        "country": "US",
        "lat": 35.4689,
        "lng": -97.5164,
    }


class Address(WrittenAddress):
    """A US address with its position."""

    lat: float = Field(ge=-90, le=90)
    lng: float = Field(ge=-180, le=180)


class AddressResponse(Response):
    """A US address with its position in degrees (WGS 84)."""

    line1: str
    line2: str | None
    city: str
    state: str
    postal_code: str
    country: str
    lat: float
    lng: float

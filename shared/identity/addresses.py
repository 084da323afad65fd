"""A postal address with its position, as columns of a table and as a shape on the wire."""

from pydantic import Field
from sqlalchemy.orm import Mapped, mapped_column

from shared.identity.fields import AddressLine
from shared.kit.schemas import Request


class AddressColumns:
    """The address columns of a table."""

    line1: Mapped[str]
    line2: Mapped[str | None]
    city: Mapped[str]
    state: Mapped[str] = mapped_column()
    postal_code: Mapped[str]
    country: Mapped[str] = mapped_column(server_default="US")
    lat: Mapped[float]
    lng: Mapped[float]


class Address(Request):
    """A US address; `state` is the two-letter code, the position in degrees (WGS 84)."""

    line1: AddressLine
    line2: AddressLine | None = None
    city: AddressLine
    state: str = Field(pattern=r"^[A-Z]{2}$")
    postal_code: str = Field(pattern=r"^[0-9]{5}(-[0-9]{4})?$")
    country: str = Field(default="US", pattern="^US$")
    lat: float = Field(ge=-90, le=90)
    lng: float = Field(ge=-180, le=180)

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

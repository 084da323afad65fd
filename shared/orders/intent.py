"""What a buyer wants, before anyone has said what it costs."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from shared.catalog.fields import OrderQty
from shared.identity.addresses import WrittenAddress
from shared.kit.schemas import Request

_ID = "01980000-0000-7000-8000-000000000001"

AdToken = Annotated[str, StringConstraints(max_length=2_048)]


class WantedItem(Request):
    """A quantity of a product; the vendor, when given, must be the one that sells it."""

    product_id: UUID
    quantity: OrderQty
    vendor_store_id: UUID | None = None

    example = {"product_id": _ID, "quantity": 10}


class WantedPromo(Request):
    """A code for one vendor's part of the cart."""

    vendor_store_id: UUID
    code: str = Field(min_length=1, max_length=40)

    example = {"vendor_store_id": _ID, "code": "SPRING10"}


class QuoteRequest(Request):
    """Intent only: prices and totals are the server's to say. Ad tokens that do not hold are left out."""

    items: list[WantedItem] = Field(min_length=1, max_length=200)
    vendor_promos: list[WantedPromo] = Field(default=[], max_length=50)
    attribution_tokens: list[AdToken] = Field(default=[], max_length=50)
    shipping_address: WrittenAddress | None = None

    example = {"items": [WantedItem.example], "vendor_promos": [WantedPromo.example]}

    @model_validator(mode="after")
    def _one_promo_per_vendor(self) -> "QuoteRequest":
        vendors = [promo.vendor_store_id for promo in self.vendor_promos]
        if len(vendors) != len(set(vendors)):
            raise ValueError("give one code per vendor")
        return self

    def merged(self) -> dict[UUID, "Merged"]:
        """The items by product, repeats added up, in the order in which products first appear."""
        wanted: dict[UUID, Merged] = {}
        for item in self.items:
            entry = wanted.setdefault(item.product_id, Merged(0, set()))
            entry.quantity += item.quantity
            if item.vendor_store_id is not None:
                entry.vendor_store_ids.add(item.vendor_store_id)
        return wanted


class Merged:
    """All that was asked of one product."""

    __slots__ = ("quantity", "vendor_store_ids")

    def __init__(self, quantity: int, vendor_store_ids: set[UUID]) -> None:
        self.quantity = quantity
        self.vendor_store_ids = vendor_store_ids

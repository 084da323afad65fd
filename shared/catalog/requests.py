"""What a vendor sends to offer a product, or to change one."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import model_validator

from shared.catalog.fields import (
    DISTINCT,
    Gallery,
    Html,
    OrderQty,
    Potency,
    Price,
    Sku,
    StockQty,
    StrainName,
    Tags,
    Title,
    VolumeTiers,
    refuse_crossed_bounds,
)
from shared.catalog.models import Category, Classification, Feeling, Flavor, Unit, Usage
from shared.kit.schemas import NOT_NULL, Request


class InitialInventory(Request):
    """With how much a product begins."""

    available_qty: StockQty = 0
    low_stock_threshold: StockQty = 0


class CreateProductRequest(Request):
    """A new product. The gallery is in the order given; its first picture is the thumbnail."""

    sku: Sku
    title: Title
    subtitle: Title | None = None
    body_html: Html | None = None
    category: Category
    classification: Classification | None = None
    strain: StrainName | None = None
    unit: Unit
    moq: OrderQty = 1
    max_qty: OrderQty | None = None
    price_cents: Price
    compare_at_price_cents: Price | None = None
    thc_percent: Potency | None = None
    cbd_percent: Potency | None = None
    feelings: Annotated[list[Feeling], DISTINCT] = []
    flavors: Annotated[list[Flavor], DISTINCT] = []
    usage: Annotated[list[Usage], DISTINCT] = []
    tags: Tags = []
    is_active: bool = True
    is_featured: bool = False
    inventory: InitialInventory = InitialInventory()
    volume_discounts: VolumeTiers = []
    gallery_media_ids: Gallery = []
    coa_media_id: UUID | None = None

    example = {
        "sku": "BD-35",
        "title": "Blue Dream, indoor",
        "category": "flower",
        "classification": "hybrid",
        "strain": "Blue Dream",
        "unit": "eighth",
        "moq": 8,
        "price_cents": 1_850,
        "thc_percent": "23.40",
        "cbd_percent": "0.10",
        "feelings": ["relaxed", "happy"],
        "flavors": ["sweet", "pine"],
        "usage": ["stress_relief"],
        "inventory": {"available_qty": 400, "low_stock_threshold": 40},
        "volume_discounts": [{"min_qty": 32, "discount_percent": "5"}],
    }

    @model_validator(mode="after")
    def _orderable(self) -> Self:
        refuse_crossed_bounds(self.moq, self.max_qty)
        return self


class UpdateProductRequest(Request):
    """What shall change; what is left out stays. Lists replace what is there."""

    sku: Annotated[Sku | None, NOT_NULL] = None
    title: Annotated[Title | None, NOT_NULL] = None
    subtitle: Title | None = None
    body_html: Html | None = None
    category: Annotated[Category | None, NOT_NULL] = None
    classification: Classification | None = None
    strain: StrainName | None = None
    unit: Annotated[Unit | None, NOT_NULL] = None
    moq: Annotated[OrderQty | None, NOT_NULL] = None
    max_qty: OrderQty | None = None
    price_cents: Annotated[Price | None, NOT_NULL] = None
    compare_at_price_cents: Price | None = None
    thc_percent: Potency | None = None
    cbd_percent: Potency | None = None
    feelings: Annotated[list[Feeling] | None, NOT_NULL, DISTINCT] = None
    flavors: Annotated[list[Flavor] | None, NOT_NULL, DISTINCT] = None
    usage: Annotated[list[Usage] | None, NOT_NULL, DISTINCT] = None
    tags: Annotated[Tags | None, NOT_NULL] = None
    is_active: Annotated[bool | None, NOT_NULL] = None
    is_featured: Annotated[bool | None, NOT_NULL] = None
    volume_discounts: Annotated[VolumeTiers | None, NOT_NULL] = None
    gallery_media_ids: Annotated[Gallery | None, NOT_NULL] = None
    coa_media_id: UUID | None = None

    example = {"price_cents": 1_790, "volume_discounts": [{"min_qty": 32, "discount_percent": "7.5"}]}

    @property
    def given(self) -> set[str]:
        """The names of the fields that were sent."""
        return set(self.model_fields_set)

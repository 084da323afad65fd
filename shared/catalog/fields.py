"""Kinds of fields that vendors fill in about what they sell."""

from decimal import Decimal
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from shared.kit.schemas import PRINTABLE, Request

Value = TypeVar("Value")


def _distinct(values: list[Value]) -> list[Value]:
    if len(set(values)) != len(values):
        raise ValueError("a value is listed twice")
    return values


DISTINCT = AfterValidator(_distinct)

# Zero is zero with any exponent ("0e-99999"), which is no decimal place, but more than the database reads.
_PLAIN_ZERO = AfterValidator(lambda value: value or Decimal(0))

Sku = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PRINTABLE)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
StrainName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=PRINTABLE)]
Tags = Annotated[list[Tag], Field(max_length=20), DISTINCT]
Html = Annotated[str, StringConstraints(max_length=20_000)]
Price = Annotated[int, Field(gt=0, le=100_000_000, description="In cents of USD")]
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4), _PLAIN_ZERO]
Potency = Annotated[Decimal, Field(ge=0, le=100, decimal_places=2), _PLAIN_ZERO]
OrderQty = Annotated[int, Field(ge=1, le=1_000_000, description="As many as one line of an order may have")]
StockQty = Annotated[int, Field(ge=0, le=10_000_000)]
Gallery = Annotated[list[UUID], Field(max_length=10), DISTINCT]


class VolumeTier(Request):
    """From `min_qty` on, the whole line is `discount_percent` (4 decimals) cheaper."""

    min_qty: OrderQty
    discount_percent: Percent


def _one_per_quantity(tiers: list[VolumeTier]) -> list[VolumeTier]:
    _distinct([tier.min_qty for tier in tiers])
    return tiers


VolumeTiers = Annotated[list[VolumeTier], Field(max_length=20), AfterValidator(_one_per_quantity)]


def refuse_crossed_bounds(moq: int, max_qty: int | None) -> None:
    """Raises ValueError when not even the smallest order may be placed."""
    if max_qty is not None and max_qty < moq:
        raise ValueError("max_qty may not be less than moq")

"""The shapes that come in and go out: bodies, query parameters and answers as Pydantic models."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, ErrorDetails

from shared.kit.json_types import strict

Item = TypeVar("Item")
Other = TypeVar("Other")


class Request(BaseModel):
    """A JSON body, or an object within one. Unknown fields are refused, and values of another type.

    `example` is shown in the documentation and tested.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, defer_build=True)
    example: ClassVar[dict[str, Any]] = {}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Pydantic asks here for what it compiles a model from."""
        schema = handler(source)
        own: Any = handler.resolve_ref_schema(schema)
        own.update(strict(own))
        return schema


class Query(BaseModel):
    """Query parameters. Unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Response(BaseModel):
    """What an answer carries under `data`. Reads attributes of models and rows."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, defer_build=True)

    @classmethod
    def of_row(cls, row: Mapping[str, Any], **more: Any) -> Self:
        """From a row that may hold more than is shown; `more` wins over the row."""
        return cls(**{name: row[name] for name in cls.model_fields if name in row} | more)


def _refuse_null(value: Any) -> Any:
    if value is None:
        raise ValueError("may be left out, but not be null")
    return value


NOT_NULL = BeforeValidator(_refuse_null)
"""Marks an optional field of a partial update whose column cannot be emptied."""


PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
"""A control character never belongs into a line."""


def sentence(found: ErrorDetails) -> str:
    """What Pydantic found wrong with a field, for whoever sent it."""
    if found["type"] == "extra_forbidden":
        return "This field is not known."
    if found["type"] == "string_pattern_mismatch" and found["ctx"]["pattern"] == PRINTABLE:
        return "This may not contain line breaks or other control characters."
    return found["msg"].removeprefix("Value error, ")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("in UTC, this is not within the years 1 to 9999") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time that is given with its offset, in UTC from here on."""


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list. `next` and `prev` are cursors; `total` is there when it was asked for.

    `totals` are sums over the whole list, for lists that have them; `facets` say, by field, which values
    the list holds and how many items have each, when that was asked for.
    """

    items: list[Item]
    limit: int
    next: str | None = None
    prev: str | None = None
    total: int | None = None
    totals: dict[str, int] | None = None
    facets: dict[str, Any] | None = None

    def of(self, items: list[Other]) -> "Page[Other]":
        """The same page holding other items."""
        return Page(items, self.limit, self.next, self.prev, self.total, self.totals, self.facets)

    def with_totals(self, totals: dict[str, int]) -> "Page[Item]":
        """The same page with the sums of the whole list."""
        return replace(self, totals=totals)

"""The shapes that come in and go out: bodies, query parameters and answers as Pydantic models."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    """A JSON body. Unknown fields are refused. `example` is shown in the documentation and tested."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
    example: ClassVar[dict[str, Any]] = {}


class Query(BaseModel):
    """Query parameters. Unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Response(BaseModel):
    """What an answer carries under `data`. Reads attributes of models and rows."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    @classmethod
    def of_row(cls, row: Mapping[str, Any], **more: Any) -> Self:
        """From a row that may hold more than is shown; `more` wins over the row."""
        return cls(**{name: row[name] for name in cls.model_fields if name in row} | more)

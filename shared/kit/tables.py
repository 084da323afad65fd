"""What every table is made of: the declarative base, column shorthands, and inserting many rows at once."""

import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import DateTime, Enum, MetaData, Text, TextClause, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

from shared.kit import clock
from shared.kit.db import planned_once
from shared.kit.ids import new_id

Id = Annotated[UUID, mapped_column(Uuid, primary_key=True, default=new_id)]
Created = Annotated[datetime, mapped_column(DateTime(timezone=True), default=clock.now)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Json = Annotated[dict[str, Any], mapped_column(JSONB)]
JsonList = Annotated[list[Any], mapped_column(JSONB)]


class Table(DeclarativeBase):
    """Base of all models. Constraint names are stable, so that errors and migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        str: Text(),
        UUID: Uuid(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
    }


def enum_type(enum: type[StrEnum], name: str) -> Enum:
    """The PostgreSQL enum `name` holding the values of `enum`."""
    return Enum(enum, name=name, values_callable=lambda kinds: [kind.value for kind in kinds])


Rows = Sequence[dict[str, Any]]


def insert_all(session: Session, model: type[Table], rows: Rows) -> None:
    """Insert rows by one statement, however many; each row has the same keys (column names).

    The rows travel as one JSON parameter, so the statement's text stays the same and its plan small.
    """
    insert_together(session, (model, rows))


def insert_new(session: Session, model: type[Table], rows: Rows) -> None:
    """Insert rows like `insert_all`, leaving out those that a unique constraint knows already."""
    if rows:
        insert = _insert(model.__tablename__, tuple(rows[0]), 0)
        session.execute(text(f"{insert} ON CONFLICT DO NOTHING"), {"rows_0": as_json(rows)})


def insert_together(session: Session, *batches: tuple[type[Table], Rows]) -> None:
    """Insert rows of several tables by one statement; they may refer to each other."""
    filled = [(model, rows) for model, rows in batches if rows]
    if not filled:
        return
    statement = _inserts(tuple((model.__tablename__, tuple(rows[0])) for model, rows in filled))
    session.execute(statement, {f"rows_{n}": as_json(rows) for n, (_, rows) in enumerate(filled)})


@lru_cache(maxsize=256)
def _inserts(tables: tuple[tuple[str, tuple[str, ...]], ...]) -> TextClause:
    parts = [_insert(table, names, n) for n, (table, names) in enumerate(tables)]
    with_parts = ", ".join(f"part_{n} AS ({part})" for n, part in enumerate(parts[:-1]))
    return planned_once(text(f"WITH {with_parts} {parts[-1]}" if with_parts else parts[-1]))


def _insert(table: str, names: tuple[str, ...], n: int) -> str:
    columns = ", ".join(names)
    return (
        f"INSERT INTO {table} ({columns}) SELECT {columns} "  # noqa: S608 - names come from our own models
        f"FROM json_populate_recordset(NULL::{table}, CAST(:rows_{n} AS json))"
    )


def as_json(value: Any) -> str:
    """JSON text for the database: ids, times and decimals become strings that PostgreSQL reads back exactly."""
    return json.dumps(value, default=str, separators=(",", ":"))

"""Alembic's environment: one connection of our own engine, every context's tables as the target."""

from typing import Any

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.dialects.postgresql.base import ischema_names

import migrations.models  # noqa: F401
from shared.identity.models import Geography
from shared.kit.db import DatabaseSettings
from shared.kit.tables import Table

ischema_names["geography"] = Geography
# Columns that PostgreSQL computes, and PostGIS's own tables, are not compared.
_FOREIGN = frozenset({"spatial_ref_sys"})


def include_name(name: str | None, kind: str, _: Any) -> bool:
    return not (kind == "table" and name in _FOREIGN)


def run() -> None:
    """Run the revisions asked for in one transaction, which one that adds a value to a type commits halfway."""
    engine = create_engine(DatabaseSettings.current().database_url)
    with engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=Table.metadata, include_name=include_name, compare_type=True
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()

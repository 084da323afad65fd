"""That nothing in the database changed, in any table."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from migrations import models  # noqa: F401 - makes every table known
from shared.kit.db import read_only
from shared.kit.tables import Table


@contextmanager
def untouched() -> Iterator[None]:
    """Fails when a row of any table was written within the block."""
    before = _digests()
    yield
    after = _digests()
    assert {table for table in before if before[table] != after[table]} == set()


def _digests() -> dict[str, str]:
    each = (
        f"SELECT '{table}' AS name, md5(string_agg(t::text, '|' ORDER BY t::text)) AS rows FROM {table} t"  # noqa: S608
        for table in sorted(Table.metadata.tables)
    )
    with read_only() as session:
        return {found.name: found.rows for found in session.execute(text(" UNION ALL ".join(each)))}

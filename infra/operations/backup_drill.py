"""Proves that a backup brings everything back: `python -m infra.operations.backup_drill`.

Dumps the database, restores it into a fresh one beside it, compares every table and sequence and the ledger's
identity, and removes the copy. The source may be in use: dump and figures are of the same snapshot.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from infra.local import packages
from infra.local.databases import DatabaseServer
from infra.operations.database import Unreachable, connected, database_url
from shared.operations.checks import money
from shared.operations.invariants import check_all

# Tables of extensions are theirs to fill. A row's text is the same wherever it is read with the same settings,
# and the sum of all hashes does not depend on the order of rows.
_TABLES = """
    SELECT format('%I.%I', nspname, relname)
    FROM pg_class AS held JOIN pg_namespace AS place ON place.oid = relnamespace
    WHERE relkind = 'r' AND nspname = 'public'
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = held.oid AND deptype = 'e')
    ORDER BY 1
"""
_FIGURES = "SELECT count(*), coalesce(sum(hashtextextended(held::text, 0)::numeric), 0) FROM {table} AS held"
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
_LEDGER = tuple(name for name in money.CHECKS if name.startswith("ledger"))


class DrillFailed(RuntimeError):
    """A program of PostgreSQL did not do its part; the message is what it said."""


@dataclass(frozen=True)
class Figures:
    """What a database holds: rows and checksum of every table, and where every sequence stands."""

    tables: dict[str, tuple[int, int]]
    sequences: dict[str, int | None]

    @property
    def rows(self) -> int:
        return sum(count for count, _ in self.tables.values())

    def differing(self, other: "Figures") -> list[str]:
        """The names of what the other has differently, or not at all, or more."""
        return [
            name
            for mine, theirs in ((self.tables, other.tables), (self.sequences, other.sequences))
            for name in sorted(mine.keys() | theirs.keys())
            if mine.get(name) != theirs.get(name) or (name in mine) != (name in theirs)
        ]


@dataclass(frozen=True)
class Restored:
    """A copy that came out of a dump, and what the source held when it was dumped."""

    url: str
    source: Figures
    dump_bytes: int
    dumped_in_s: float
    restored_in_s: float


def main(_: list[str]) -> int:
    began = time.monotonic()
    try:
        url = database_url()
        with restored(url) as copy:
            print(f"Dumped {copy.dump_bytes / 1e6:.1f} MB in {copy.dumped_in_s:.1f} s.")
            print(f"Restored in {copy.restored_in_s:.1f} s.")
            wrong = [*copy.source.differing(figures_of(copy.url)), *broken_ledger(copy.url)]
    except (Unreachable, DrillFailed) as error:
        print(error, file=sys.stderr)
        return 1
    compared = f"{len(copy.source.tables)} tables and {copy.source.rows} rows"
    verdict = f"but {', '.join(wrong)} did not come back as it was" if wrong else "and the ledger's identity holds"
    print(f"Compared {compared}, {verdict}.")
    print(f"{'The backup FAILED' if wrong else 'The backup is good'}, after {time.monotonic() - began:.1f} s.")
    return 1 if wrong else 0


@contextmanager
def restored(url: str) -> Iterator[Restored]:
    """A copy of the database, out of a dump, for the length of the block. Raises DrillFailed."""
    server, name = DatabaseServer(url), f"drill_{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="packfinderz-drill-") as folder:
        dump = Path(folder) / "dump"
        began = time.monotonic()
        source = _dump(url, dump)
        dumped_at = time.monotonic()
        server.create_database(name)
        try:
            run_program("pg_restore", server.url(name), "--exit-on-error", "--no-owner", str(dump))
            restored_at = time.monotonic()
            took = dumped_at - began, restored_at - dumped_at
            yield Restored(server.url(name), source, dump.stat().st_size, *took)
        finally:
            server.drop_database(name)


def figures_of(url: str) -> Figures:
    """What a database holds now."""
    with DatabaseServer(url).cursor(_name(url)) as cursor:
        return _figures(cursor)


def broken_ledger(url: str) -> list[str]:
    """The checks of the ledger that do not hold in this database."""
    with connected("backup_drill", url=url):
        return [finding.check for finding in check_all(_LEDGER) if not finding.holds]


def _dump(url: str, dump: Path) -> Figures:
    """Write the dump; what the database held at that moment."""
    with DatabaseServer(url).cursor(_name(url)) as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        [snapshot] = cursor.fetchone()
        run_program("pg_dump", url, "--format=custom", f"--snapshot={snapshot}", f"--file={dump}")
        return _figures(cursor)


def _figures(cursor: Any) -> Figures:
    cursor.execute("SET extra_float_digits = 1")
    cursor.execute(_TABLES)
    names = [name for (name,) in cursor.fetchall()]
    tables = {}
    for name in names:
        cursor.execute(_FIGURES.format(table=name))
        count, checksum = cursor.fetchone()
        tables[name] = (count, int(checksum))
    cursor.execute(_SEQUENCES)
    return Figures(tables, dict(cursor.fetchall()))


def run_program(program: str, url: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on a database. Raises DrillFailed."""
    told = make_url(url)
    where = ["-h", told.host or "127.0.0.1", "-p", str(told.port or 5432), "-U", told.username or "", "-w"]
    done = subprocess.run(
        [str(packages.postgres_bin() / program), *where, "-d", _name(url), *arguments],
        check=False,
        env=os.environ | {"PGPASSWORD": str(told.password or "")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise DrillFailed(f"{program}: {(done.stderr.strip() or 'it said nothing').splitlines()[-1]}")


def _name(url: str) -> str:
    return make_url(url).database or "postgres"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Reading comma-separated text (RFC 4180) row by row, and saying of each cell what is wrong with it.

Rows are numbered as a spreadsheet shows them: the header is row 1, blank rows count, and a row whose cells hold
line breaks is one. However long the text is, one row of it is in hand at a time.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

MAX_CELL_CHARS = 131_072
"""What `csv` reads as one cell, by its default; beyond that a quote was left open."""

MAX_COLUMNS = 100
"""More names than this are no header; each row is held against all of them."""

# Bytes that are not UTF-8 arrive as these (PEP 383), so that the cell which holds them can be told.
_UNDECODABLE = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class BadCell:
    """What is wrong with a cell; without a column, with the row."""

    row: int
    column: str | None
    message: str


@dataclass
class BadCells:
    """The bad cells of a file: all are counted, the first `most` are told."""

    most: int
    count: int = 0
    told: list[BadCell] = field(default_factory=list)

    def add(self, row: int, column: str | None, message: str) -> None:
        self.count += 1
        if len(self.told) < self.most:
            self.told.append(BadCell(row, column, message))


@dataclass(frozen=True)
class Row:
    """One row. `cells` has the known columns of the header, without those whose text cannot be read."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Columns:
    """The columns that a file may have, in the order in which a spreadsheet would show them."""

    known: Collection[str]
    required: Collection[str]


def read_rows(file: bytes, columns: Columns, bad: BadCells, *, max_rows: int) -> Iterator[Row]:
    """The rows of a file with a header, in UTF-8 with or without a byte order mark; cells without space around them.

    What is wrong is added to `bad`. Columns may come in any order and are read without case.
    """
    records = _records(file, bad)
    _, named = next(records, (1, []))
    if len(named) > MAX_COLUMNS:
        bad.add(1, None, f"A file may have {MAX_COLUMNS} columns; this one has {len(named):,}. Its rows were not read.")
        return
    header = _header(named, columns, bad)
    count = 0
    for number, record in records:
        if not any(record):
            continue
        count += 1
        if count > max_rows:
            bad.add(number, None, f"A file may have {max_rows:,} rows; this one and the following are too many.")
            return
        yield _row(number, record, header, bad)
    if count == 0 and bad.count == 0:
        bad.add(2, None, "The file has no rows.")


def _records(file: bytes, bad: BadCells) -> Iterator[tuple[int, list[str]]]:
    text = io.TextIOWrapper(io.BytesIO(file), encoding="utf-8-sig", errors="surrogateescape", newline="")
    number = 0
    try:
        for number, record in enumerate(csv.reader(text, strict=True), start=1):
            yield number, [cell.strip() for cell in record]
    except csv.Error as error:
        bad.add(number + 1, None, f"{_sentence(error)} Nothing from here on was read.")


def _sentence(error: csv.Error) -> str:
    told = str(error)
    if "unexpected end" in told:
        return "A quote is opened here and never closed."
    if "field limit" in told:
        return f"A cell is longer than {MAX_CELL_CHARS:,} characters, or a quote is opened and never closed."
    return "Quotes are not as they should be: one within a cell is doubled, and a cell that has one is put in quotes."


def _header(record: list[str], columns: Columns, bad: BadCells) -> list[str | None]:
    """The known column of each cell; None where the cell names none or one that was named before."""
    names: list[str | None] = []
    for cell in record:
        name = cell.lower()
        told = _legible(cell)[:64]
        if name not in columns.known:
            bad.add(1, told, "This column is not known." if told else "This column has no name.")
        elif name in names:
            bad.add(1, name, "This column is there twice.")
        names.append(name if name in columns.known and name not in names else None)
    for name in columns.known:
        if name in columns.required and name not in names:
            bad.add(1, name, "This column is missing.")
    return names


def _row(number: int, record: list[str], header: list[str | None], bad: BadCells) -> Row:
    """A row that is shorter than the header has empty cells at its end, as spreadsheets leave them away."""
    if any(record[len(header) :]):
        bad.add(number, None, "This row has more cells than the header.")
    padded = record + [""] * (len(header) - len(record))
    cells = {}
    for name, cell in zip(header, padded, strict=False):
        if name is None:
            continue
        fault = _fault(cell)
        if fault:
            bad.add(number, name, fault)
        else:
            cells[name] = cell
    return Row(number, cells)


def _fault(cell: str) -> str | None:
    if "\x00" in cell:
        return "This holds the character U+0000."
    if not cell.isascii() and _UNDECODABLE.search(cell):
        return "This is not UTF-8."
    return None


def _legible(cell: str) -> str:
    return cell.encode(errors="replace").decode()

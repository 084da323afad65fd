"""What a row of an import is: the fields of a new product as cells, held to the same rules.

Columns are named as the fields are. Lists are separated by semicolons (`relaxed;happy`), tiers are written as
quantity and percentage (`10:5;50:12.5`), prices are in cents. An empty cell leaves its field out. Pictures and lab
reports are no columns: they are uploaded, and attached to a product that is there.
"""

from collections.abc import Iterator
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from shared.catalog.requests import CreateProductRequest, InitialInventory
from shared.kit.csv_rows import BadCells, Columns, Row, read_rows
from shared.kit.schemas import sentence

MAX_ROWS = 5_000

_STOCK = tuple(InitialInventory.model_fields)
_LISTS = frozenset({"feelings", "flavors", "usage", "tags", "volume_discounts"})
_NO_COLUMNS = frozenset({"inventory", "gallery_media_ids", "coa_media_id"})
_FIELDS = CreateProductRequest.model_fields

_READ_AS = {
    column: TypeAdapter(kind)
    for column, hint in {**get_type_hints(CreateProductRequest), **get_type_hints(InitialInventory)}.items()
    for kind in (int, bool)
    if hint in (kind, kind | None)
}
"""The columns that are not text, and how they are read."""
_NUMBER = TypeAdapter(int)

COLUMNS = Columns(
    known=(*(name for name in _FIELDS if name not in _NO_COLUMNS), *_STOCK),
    required=frozenset(name for name, field in _FIELDS.items() if field.is_required()),
)

EXAMPLE = (
    "sku,title,category,unit,price_cents,strain,feelings,available_qty,volume_discounts\n"
    'BD-35,"Blue Dream, indoor",flower,eighth,1850,Blue Dream,relaxed;happy,400,10:5;50:12.5\n'
)


def read_products(file: bytes, bad: BadCells, skus: dict[str, int]) -> Iterator[tuple[int, CreateProductRequest]]:
    """The products of a file with the numbers of their rows; what is wrong with the others is added to `bad`.

    `skus` gets every SKU of the file with the row that has it first.
    """
    for row in read_rows(file, COLUMNS, bad, max_rows=MAX_ROWS):
        faults = bad.count
        _refuse_repeated(row, skus, bad)
        product = _product(row, bad)
        if product is not None and bad.count == faults:
            yield row.number, product


def _refuse_repeated(row: Row, skus: dict[str, int], bad: BadCells) -> None:
    sku = row.cells.get("sku")
    if sku and skus.setdefault(sku, row.number) != row.number:
        bad.add(row.number, "sku", f"Row {skus[sku]} has this SKU already.")


def _product(row: Row, bad: BadCells) -> CreateProductRequest | None:
    try:
        return CreateProductRequest.model_validate(_fields(row.cells))
    except ValidationError as error:
        told: set[str] = set()
        for found in error.errors(include_url=False, include_input=False):
            column = _column(found)
            # A column that is not there was told with the header, and a cell that cannot be read by itself.
            if column in row.cells and column not in told:
                told.add(column)
                bad.add(row.number, column, _message(found, row.cells[column]))
        return None


def _fields(cells: dict[str, str]) -> dict[str, Any]:
    given = {column: cell for column, cell in cells.items() if cell}
    fields: dict[str, Any] = {
        column: _parts(cell) if column in _LISTS else _value(column, cell)
        for column, cell in given.items()
        if column not in _STOCK
    }
    if "volume_discounts" in fields:
        tiers = (part.partition(":") for part in fields["volume_discounts"])
        fields["volume_discounts"] = [
            {"min_qty": _read(_NUMBER, qty.strip()), "discount_percent": rest.strip()} for qty, _, rest in tiers
        ]
    return fields | {"inventory": {column: _value(column, given[column]) for column in _STOCK if column in given}}


def _value(column: str, cell: str) -> Any:
    return _read(_READ_AS[column], cell) if column in _READ_AS else cell


def _read(kind: TypeAdapter[Any], cell: str) -> Any:
    """What a cell says; one that says nothing of this kind is left for the product's rules to refuse."""
    try:
        return kind.validate_python(cell)
    except ValidationError:
        return cell


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _column(found: ErrorDetails) -> str:
    """The column of a fault; the two bounds of a quantity are told of the greater one."""
    first, *more = found["loc"] or ("max_qty",)
    return str(more[0]) if first == "inventory" else str(first)


def _message(found: ErrorDetails, cell: str) -> str:
    message = "This is needed." if found["type"] == "missing" else sentence(found)
    column, *place = found["loc"] or ("max_qty",)
    if column in _LISTS and place and isinstance(place[0], int):
        return f"{_parts(cell)[place[0]][:40]}: {message}"
    return message

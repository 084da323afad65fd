"""Offering up to 5,000 products at once, from a file: all of them or none.

The file is read twice, a row at a time: once to find everything that is wrong with it, once to write it in batches.
What is held of it meanwhile are its SKUs and its bad cells. It only adds: a SKU that the vendor already has is a
bad cell.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, cast, select
from sqlalchemy.orm import Session

from shared.catalog.editing import columns_of, refusing_taken_skus
from shared.catalog.import_rows import read_products
from shared.catalog.models import Product, VolumeDiscount
from shared.catalog.requests import CreateProductRequest
from shared.identity.models import Store
from shared.inventory.stock import OpeningStock, open_stock
from shared.kit import clock
from shared.kit.csv_rows import BadCell, BadCells
from shared.kit.errors import InvalidRequest
from shared.kit.ids import new_id
from shared.kit.schemas import Query, Response
from shared.kit.tables import insert_together
from shared.operations.audit import entry, record

MAX_TOLD = 5_000
"""So many bad cells are told, and how many there are: a column that is wrong in every row is told whole."""

BATCH_ROWS = 500
"""Rows that are written by one round of statements."""


class ImportQuery(Query):
    """`dry_run` reports what is wrong with the file and writes nothing."""

    dry_run: bool = False


class BadCellResponse(Response):
    """What is wrong with a cell of the file; without a column, with the row. The header is row 1."""

    row: int
    column: str | None
    message: str


class ImportResponse(Response):
    """What an import made, or would make of the rows that are in order. `bad_cells` are the first 5,000 of all."""

    dry_run: bool
    product_count: int
    bad_cell_count: int
    bad_cells: list[BadCellResponse]


class FileRefused(InvalidRequest):
    """Cells of the file are not in order; nothing of it was imported."""

    default_message = "Some cells of this file are not in order; nothing was imported."

    def __init__(self, bad: BadCells) -> None:
        fields = [{"path": _path(cell), **asdict(cell)} for cell in bad.told]
        super().__init__(details={"bad_cell_count": bad.count, "fields": fields})


@dataclass(frozen=True)
class CheckedFile:
    """A file and what is wrong with it: its SKUs with their rows, and which rows are in order."""

    file: bytes
    skus: dict[str, int]
    fit: frozenset[int]
    bad: BadCells

    def with_taken(self, session: Session, vendor_store_id: UUID) -> "CheckedFile":
        """The same, with the SKUs that the vendor's products have among what is wrong."""
        bad = replace(self.bad, told=list(self.bad.told))
        rows = [self.skus[sku] for sku in _taken(session, vendor_store_id, list(self.skus))]
        for row in rows:
            bad.add(row, "sku", "Another of your products has this SKU.")
        bad.told.sort(key=lambda cell: cell.row)
        return replace(self, fit=self.fit.difference(rows), bad=bad)

    def told(self, *, dry_run: bool) -> ImportResponse:
        """The answer that says so."""
        return ImportResponse(
            dry_run=dry_run,
            product_count=len(self.fit),
            bad_cell_count=self.bad.count,
            bad_cells=[BadCellResponse.model_validate(cell) for cell in self.bad.told],
        )


def checked(file: bytes) -> CheckedFile:
    """Look at every cell of a file; call it outside of a transaction, for it may take a second."""
    skus, bad = dict[str, int](), BadCells(MAX_TOLD)
    fit = frozenset(row for row, _ in read_products(file, bad, skus))
    return CheckedFile(file, skus, fit, bad)


def import_products(session: Session, vendor_store_id: UUID, given: CheckedFile) -> ImportResponse:
    """Offer all products of a file, by a number of statements that grows with its batches only.

    Raises FileRefused for a file with bad cells, SkuTaken when another product gets a SKU of it meanwhile.
    """
    vendor_name = _lock_vendor(session, vendor_store_id)
    found = given.with_taken(session, vendor_store_id)
    if found.bad.count:
        raise FileRefused(found.bad)
    for batch in _batches(found.file):
        _create(session, vendor_store_id, vendor_name, batch)
    return found.told(dry_run=False)


def _lock_vendor(session: Session, vendor_store_id: UUID) -> str:
    """The vendor's name, which stays; until the transaction ends nobody else offers anything for this vendor."""
    held = select(Store).where(Store.id == vendor_store_id).with_for_update(key_share=True)
    return session.scalars(held).one().name


def _taken(session: Session, vendor_store_id: UUID, skus: list[str]) -> list[str]:
    """Which of these SKUs the vendor's products have."""
    held = select(Product.sku).where(
        Product.vendor_store_id == vendor_store_id,
        Product.deleted_at.is_(None),
        Product.sku == any_(cast(skus, ARRAY(Text))),
    )
    return list(session.scalars(held))


def _batches(file: bytes) -> Iterator[list[CreateProductRequest]]:
    products = (product for _, product in read_products(file, BadCells(0), {}))
    while batch := list(islice(products, BATCH_ROWS)):
        yield batch


def _create(session: Session, vendor_store_id: UUID, vendor_name: str, batch: Sequence[CreateProductRequest]) -> None:
    """New products with their tiers and stock, each audited, by three statements."""
    at = clock.now()
    same = {"vendor_store_id": vendor_store_id, "vendor_name": vendor_name, "created_at": at, "updated_at": at}
    wanted = [(new_id(), product) for product in batch]
    rows = [{"id": id_, **same, **columns_of(product)} for id_, product in wanted]
    tiers = [{"product_id": id_, **tier.model_dump()} for id_, product in wanted for tier in product.volume_discounts]
    with refusing_taken_skus():
        insert_together(session, (Product, rows), (VolumeDiscount, tiers))
    open_stock(session, [OpeningStock(id_, **product.inventory.model_dump()) for id_, product in wanted])
    record(session, *(_audited(id_, product) for id_, product in wanted))


def _audited(product_id: UUID, product: CreateProductRequest) -> dict[str, Any]:
    return entry("product.imported", "product", product_id, after=product.model_dump(mode="json"))


def _path(cell: BadCell) -> str:
    return f"rows[{cell.row}].{cell.column}" if cell.column else f"rows[{cell.row}]"

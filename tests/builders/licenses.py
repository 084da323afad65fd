"""Licenses by the ten thousand, with their documents, written by the database itself."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from shared.kit import clock
from shared.kit.db import transaction


@dataclass(frozen=True)
class Lot:
    """So many licenses that are alike."""

    count: int
    expires_on: date
    status: str = "verified"


_BULK = """
WITH licensed AS (
    SELECT n, gen_random_uuid() AS license_id, gen_random_uuid() AS media_id,
           (CAST(:stores AS uuid[]))[1 + mod(n, cardinality(CAST(:stores AS uuid[])))] AS store_id
      FROM generate_series(1, :count) AS n
), documents AS (
    INSERT INTO media (id, store_id, kind, status, mime_type, file_name, size_bytes, object_key, created_at)
    SELECT media_id, store_id, 'license_doc', 'ready', 'application/pdf', 'license.pdf', 1234, media_id::text, :at
      FROM licensed
), holding AS (
    INSERT INTO licenses
           (id, store_id, type, number, issuing_state, issued_on, expires_on, status, media_id, created_at)
    SELECT license_id, store_id, 'grower', license_id::text, 'OK', '2025-01-01', :ends,
           CAST(:status AS license_status), media_id, :at
      FROM licensed
)
INSERT INTO media_attachments (entity_type, entity_id, media_id, store_id, position, created_at)
SELECT 'license', license_id, media_id, store_id, 0, :at FROM licensed
"""


def many_licenses(store_ids: list[UUID], *lots: Lot) -> None:
    """Licenses issued long ago, dealt out to the stores; each is attached to a document of its own."""
    stores = [str(store_id) for store_id in store_ids]
    with transaction() as session:
        # Nothing here refers to what is not there, and looking each up takes longer than all the rest.
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("SET LOCAL statement_timeout = 0"))
        for lot in lots:
            told = {"stores": stores, "count": lot.count, "ends": lot.expires_on, "status": lot.status}
            session.execute(text(_BULK), told | {"at": clock.now()})

"""The audit log: who did what to what, and when.

Serves /api/v1/admin/audit.
"""

from shared.identity.callers import AdminCaller, admin
from shared.kit.db import read_only
from shared.kit.http import Api
from shared.kit.http.answers import Download
from shared.kit.schemas import Page
from shared.kit.spreadsheet import CSV_TYPE
from shared.operations.audit_search import (
    AuditEntryResponse,
    AuditFilters,
    AuditQuery,
    list_entries,
    write_entries,
)

api = Api("admin", prefix="/api/v1/admin/audit")


@api.get(allow=admin())
def search(_: AdminCaller, query: AuditQuery) -> Page[AuditEntryResponse]:
    """Audited actions, the newest first."""
    with read_only() as session:
        return list_entries(session, query)


@api.get("/export", allow=admin())
def export(_: AdminCaller, query: AuditFilters) -> Download:
    """Audited actions as a CSV file, the oldest first."""
    return Download(write_entries(query), CSV_TYPE, "audit.csv")

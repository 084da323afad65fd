"""Twenty thousand licenses, two runs at once, days late: each effect once, at a fixed cost for each batch.

A hundred thousand are a benchmark: `tests/performance/licenses.py`.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select

from shared.identity.models import Store
from shared.kit.db import read_only
from shared.kit.outbox import OutboxEvent
from shared.licensing import lifecycle
from shared.licensing.models import License
from shared.media.models import MediaAttachment
from shared.operations.audit import AuditLog
from tests.builders.licenses import Lot, many_licenses
from tests.builders.stores import a_vendor

MORNING = datetime(2026, 3, 2, 12, tzinfo=UTC)
# The job missed nine days.
LATE = MORNING + timedelta(days=9)
# The dearest batch, a purge: lock, delete, let go; four for the documents; the mirror's three, and the audit.
STATEMENTS_OF_A_BATCH = 11


def ending(days: int):
    """So many days after the first."""
    return MORNING.date() + timedelta(days=days)


def counted(what, different) -> dict[str, tuple[int, int]]:
    """Rows and different things of them, by what they tell."""
    with read_only() as session:
        rows = session.execute(select(what, func.count(), func.count(different.distinct())).group_by(what))
        return {told: (count, each) for told, count, each in rows}


@pytest.mark.usefixtures("committed_database")
def test_each_effect_happens_once(fire, freeze, statements):
    freeze(MORNING)
    many_licenses(
        [a_vendor().id for _ in range(100)],
        Lot(8_000, ending(16)),  # to be warned of
        Lot(6_000, ending(4)),  # over before anybody was warned
        Lot(4_000, ending(-26), status="expired"),  # to be purged by now
        Lot(2_000, ending(300)),
    )
    freeze(LATE)
    together = Barrier(2)

    def run():
        together.wait()
        return fire()

    with statements() as cost, ThreadPoolExecutor(2) as pool:
        first, second = (run.result() for run in [pool.submit(run) for _ in range(2)])
    done = {what: first[what] + second[what] for what in first}
    rest = fire()

    whole = {what: done[what] + rest[what] for what in done}
    assert whole == {"warned": 8_000, "expired": 6_000, "purged": 4_000}
    # Who comes last to a step may find the other at its last batch, and leave a part of one to the next run.
    assert sum(rest.values()) < 2 * lifecycle.BATCH
    assert counted(OutboxEvent.event_type, OutboxEvent.aggregate_id) == {
        "license_expiring_soon": (8_000, 8_000),
        "license_status_changed": (6_000, 6_000),
        "media_deleted": (4_000, 4_000),
    }
    assert counted(AuditLog.action, AuditLog.target_id) == {
        "license.expired": (6_000, 6_000),
        "license.purged": (4_000, 4_000),
    }
    assert counted(License.status, License.id) == {"verified": (10_000, 10_000), "expired": (6_000, 6_000)}
    assert counted(License.warned_at, License.id) == {LATE: (8_000, 8_000), None: (8_000, 8_000)}
    assert counted(MediaAttachment.entity_type, MediaAttachment.entity_id) == {"license": (16_000, 16_000)}
    assert counted(Store.kyc_status, Store.id) == {"verified": (100, 100)}
    assert cost.sql <= STATEMENTS_OF_A_BATCH * (18_000 // lifecycle.BATCH + 6)

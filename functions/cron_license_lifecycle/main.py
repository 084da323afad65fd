"""Licenses as time goes by: daily, warn their holders once, expire them, delete them a month later.

Publishes license_expiring_soon, license_status_changed and media_deleted.
"""

from collections.abc import Callable
from datetime import date
from functools import partial

from sqlalchemy.orm import Session

from shared.kit import clock, stopping
from shared.kit.config import CommonSettings
from shared.kit.db import retrying, transaction
from shared.kit.jobs import Job
from shared.licensing import lifecycle
from shared.licensing.lifecycle import Place
from shared.licensing.models import License

job = Job("cron_license_lifecycle")
Step = Callable[[Session, date, Place | None], list[License]]


@job.run
def age() -> dict[str, int]:
    """Take every license that is due through its step; counts of warned, expired and purged licenses."""
    return {
        "warned": _batch_by_batch(lifecycle.warn),
        "expired": _batch_by_batch(lifecycle.expire),
        "purged": _batch_by_batch(lifecycle.purge),
    }


def _batch_by_batch(step: Step) -> int:
    """One transaction for each batch, until one is not full; how many licenses were in them."""
    today, after, count = clock.today(CommonSettings.current().time_zone), None, 0
    while not stopping.is_asked():
        batch = retrying(partial(_in_transaction, step, today, after))
        count += len(batch)
        if len(batch) < lifecycle.BATCH:
            break
        after = (batch[-1].expires_on, batch[-1].id)
    return count


def _in_transaction(step: Step, today: date, after: Place | None) -> list[License]:
    with transaction() as session:
        return step(session, today, after)


main = job.entry_point()

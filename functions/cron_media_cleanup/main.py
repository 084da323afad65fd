"""Uploads and deletions that stopped half way: daily, finish them or clear them away.

Publishes media_uploaded and media_deleted.
"""

import shared.identity.models  # noqa: F401 - media belong to stores, and a flush must know their table
from shared.kit.jobs import Job
from shared.media import cleanup
from shared.media.cleanup import Settled
from shared.media.storage import check_storage

job = Job("cron_media_cleanup")


@job.run
def clean_up() -> dict[str, int]:
    """Settle old leaves to upload, ask again for deletions, remove objects without a row; counts of each."""
    settled = cleanup.settle_pending()
    return {
        "pending_removed": settled[Settled.REMOVED],
        "finalized_late": settled[Settled.FINALIZED],
        "deletions_asked_again": cleanup.ask_again(),
        "orphans_removed": cleanup.remove_orphans(),
    }


main = job.entry_point(storage=check_storage)

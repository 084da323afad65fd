"""Deletes what is past its time, daily: published events, settled dead letters, notifications, mail, processed
marks, mailed tokens, and stores that their owners deleted a month ago.

What is kept for how long is in shared.operations.retention, what is left of a store in shared.identity.erasure.
Publishes media_deleted.
"""

from functions.cron_retention.stores import erase_stores
from shared.kit.jobs import Job
from shared.operations.retention import delete_expired

job = Job("cron_retention")


@job.run
def clean_up() -> dict[str, int]:
    """Delete in batches until nothing is left to delete; how many rows of each table, and what became of stores."""
    return delete_expired() | erase_stores()


main = job.entry_point()

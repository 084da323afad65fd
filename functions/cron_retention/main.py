"""Deletes what is past its time, daily: published events, notifications, processed marks, mailed tokens.

What is kept for how long is in shared.operations.retention.
"""

from shared.kit.jobs import Job
from shared.operations.retention import delete_expired

job = Job("cron_retention")


@job.run
def clean_up() -> dict[str, int]:
    """Delete in batches until nothing is left to delete; how many rows of each table."""
    return delete_expired()


main = job.entry_point()

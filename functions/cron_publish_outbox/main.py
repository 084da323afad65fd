"""Publishes the outbox: started every minute, busy for just under one; several runs may overlap.

What is published where, and what becomes of an event that cannot be, is in shared.kit.publishing.
Publishes dead_letter_kept.
"""

from shared.events.catalogue import CATALOGUE
from shared.integrations import pubsub
from shared.kit.jobs import Job
from shared.kit.publishing import Publisher, PublishingSettings

job = Job("cron_publish_outbox")


@job.run
def publish() -> dict[str, int]:
    """Publish until the window ends; counts of published, retried and dead."""
    return Publisher(pubsub.topics(), CATALOGUE, PublishingSettings.current()).run()


main = job.entry_point(pubsub=pubsub.check_pubsub)

"""A publisher on the given database that is killed once Pub/Sub has the batch and before that is written down."""

import os
import signal
import sys

from shared.events.catalogue import CATALOGUE
from shared.integrations import pubsub
from shared.kit.publishing import Publisher, PublishingSettings, publisher


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    os.environ["PF_DATABASE_URL"] = sys.argv[1]
    publisher.settle = die
    Publisher(pubsub.topics(), CATALOGUE, PublishingSettings.current()).publish_batch()

"""A publisher on which something goes wrong: it `dies` once Pub/Sub has a batch and before that is written down, or
its clock `jumps` by so many seconds while it publishes. Says how many rows it had in hand.

Run by itself, as the package `tests` takes the servers' addresses out of the environment.
"""

import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from shared.events.catalogue import CATALOGUE
from shared.integrations import pubsub
from shared.kit import clock
from shared.kit.publishing import Publisher, PublishingSettings, publisher
from shared.kit.publishing.queue import Attempt

DIES_WITHIN_S = 240.0
JUMPS_FOR_S = 2.5


def _die(_: Any, attempts: Sequence[Attempt]) -> None:
    if attempts:
        os.write(1, f"in hand {len(attempts)}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)


def dies() -> None:
    publisher.settle = _die
    Publisher(pubsub.topics(), CATALOGUE, PublishingSettings(outbox_window_s=DIES_WITHIN_S, outbox_poll_ms=20)).run()


def jumps(seconds: str) -> None:
    now = clock.now
    clock.now = lambda: now() + timedelta(seconds=float(seconds))
    # So impatient that what Pub/Sub refuses becomes a failure of the row, whose pause this clock must not touch.
    pubsub._RETRIES_S = 0.3
    settings = PublishingSettings(outbox_window_s=JUMPS_FOR_S, outbox_poll_ms=20, outbox_acknowledge_s=1)
    odd, counts = Publisher(pubsub.topics(), CATALOGUE, settings), Counter[str]()
    while not counts.total():
        counts.update(odd.run())
    os.write(1, f"in hand {counts.total()}\n".encode())


if __name__ == "__main__":
    {"dies": dies, "jumps": jumps}[sys.argv[1]](*sys.argv[2:])

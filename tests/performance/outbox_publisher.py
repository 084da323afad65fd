"""A publisher as a process of its own: `drain N` publishes about N events, `run S` publishes for S seconds.

It says that it is ready, waits for a line, works, and says how many events it published with how many seconds of
its processor. Run by itself, as the package `tests` takes the servers' addresses out of the environment.
"""

import sys
import time

from shared.events.catalogue import CATALOGUE
from shared.integrations import pubsub
from shared.kit import logging
from shared.kit.publishing import Publisher, PublishingSettings


def drain(publisher: Publisher, events: int) -> int:
    done = 0
    while done < events and (batch := publisher.publish_batch()):
        done += len(batch)
    return done


def main(what: str, amount: str) -> None:
    logging.mute()
    window_s = float(amount) if what == "run" else 1.0
    publisher = Publisher(pubsub.topics(), CATALOGUE, PublishingSettings(outbox_window_s=window_s))
    if what == "drain":
        publisher.begin()
    print("ready", flush=True)
    sys.stdin.readline()
    began_s = time.process_time()
    done = drain(publisher, int(amount)) if what == "drain" else sum(publisher.run().values())
    print(done, time.process_time() - began_s, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

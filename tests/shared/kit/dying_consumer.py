"""A consumer whose process is killed at a step of handling a delivery: `python -m … STEP DATABASE_URL REDIS_URL`.

The delivery comes by stdin. Its effect is a person for each event, whom nothing but the consumer keeps from being
made twice.
"""

import json
import os
import signal
import sys
from typing import Any

from sqlalchemy.orm import Session

from shared.events.products import InventoryLow
from shared.identity.models import User
from shared.kit import consumer as kit_consumer
from shared.kit.consumer import Consumer
from shared.kit.ids import new_id

STEPS = ("leased", "marked", "written", "committed", "kept")


def greeter() -> Consumer:
    made = Consumer("greeter")

    @made.on(InventoryLow)
    def greet(session: Session, _: InventoryLow) -> None:
        session.add(User(email=f"{new_id()}@example.com", first_name="New", last_name="Greeted"))
        session.flush()

    return made


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(step: str) -> Consumer:
    """The greeter that does not survive this step."""
    consumer = greeter()
    kind, greet = consumer.handlers["inventory_low"]

    def greet_and_die(session: Session, event: InventoryLow) -> None:
        greet(session, event)
        die()

    if step == "leased":
        consumer._run = die
    elif step == "marked":
        consumer.handlers["inventory_low"] = (kind, die)
    elif step == "written":
        consumer.handlers["inventory_low"] = (kind, greet_and_die)
    elif step == "committed":
        kit_consumer._Lease.keep = die
    return consumer


if __name__ == "__main__":
    step, os.environ["PF_DATABASE_URL"], os.environ["PF_REDIS_URL"] = sys.argv[1:]
    deadly(step).deliver(json.load(sys.stdin))
    # All is done but the acknowledgement.
    die()

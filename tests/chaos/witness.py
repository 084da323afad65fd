"""A function whose effects can be counted: nothing but the consumer's promise keeps it from doing one twice.

Served by functions-framework as any other. It hears the topic `analytics`, writes a line for each event, keeps the
latest state of each aggregate, and fails on what `chaos_trouble` tells it to fail on.
"""

from typing import Any

# Not by way of the package `tests`, which takes the servers' addresses out of the environment.
from ledger import NAME
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.events.checkout import CheckoutConverted
from shared.events.orders import OrderInTransit
from shared.kit import consumer as kit_consumer
from shared.kit.consumer import Consumer, envelope_of
from shared.kit.db import transaction

# An instance that was killed holds its events for so long: a minute in production, which is long for chaos.
kit_consumer.LEASE_S = 3

witness = Consumer(NAME)


class Troubled(Exception):
    """This event is one that fails."""


@witness.on(CheckoutConverted)
@witness.on(OrderInTransit)
def note(session: Session, event: Any) -> None:
    """The effect, which two runs would leave twice; and a state, which an older event must not bring back."""
    envelope = envelope_of(session)
    named = {"event": envelope.event_id, "aggregate": event.aggregate_id, "sequence": envelope.sequence}
    session.execute(text("INSERT INTO chaos_effects VALUES (:event, :aggregate)"), named)
    session.execute(
        text(
            "INSERT INTO chaos_latest AS held VALUES (:aggregate, :sequence) ON CONFLICT (aggregate_id) DO UPDATE "
            "SET sequence = excluded.sequence WHERE held.sequence < excluded.sequence"
        ),
        named,
    )
    _fail_if_told(named)


def _fail_if_told(named: dict[str, Any]) -> None:
    """Raises Troubled after the effect was written, so that only the rollback keeps it from being there."""
    with transaction() as session:
        count = text(
            "UPDATE chaos_trouble SET failures_left = failures_left - 1, failed = failed + 1 "
            "WHERE aggregate_id = :aggregate AND failures_left > 0 RETURNING failed"
        )
        is_told = session.scalar(count, named) is not None
    if is_told:
        raise Troubled


main = witness.entry_point()

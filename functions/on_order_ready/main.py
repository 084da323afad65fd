"""A ready order finds its agent.

Reacts to order_ready_for_dispatch. Publishes order_assigned.
"""

from sqlalchemy.orm import Session

from shared.events.orders import OrderReadyForDispatch
from shared.kit.consumer import Consumer
from shared.kit.outbox import emit
from shared.orders import queries
from shared.orders.assignment import assign_least_loaded

consumer = Consumer("on_order_ready")


@consumer.on(OrderReadyForDispatch)
def assign(session: Session, event: OrderReadyForDispatch) -> None:
    """Give the order to one of the least loaded agents; none active leaves it in the queue."""
    order = queries.lock_order(session, event.order_id)
    emit(session, *assign_least_loaded(session, order))


main = consumer.entry_point()

"""What happened becomes what people are told.

Reacts to every event of the topic `notifications`. After order_created it also looks whether a product
runs low, so that a checkout has nothing to do with it. Mail is written down in the same transaction and
sent after it. Publishes inventory_low.
"""

from sqlalchemy.orm import Session

from shared.events.checkout import OrderCreated
from shared.inventory.low_stock import notice_low_stock
from shared.kit.consumer import Consumer, Envelope, envelope_of
from shared.kit.outbox import Event, emit
from shared.notifications.addressing import address
from shared.notifications.drafting import drafts_of
from shared.notifications.messages import MESSAGES
from shared.notifications.sending import send_waiting
from shared.notifications.telling import tell

consumer = Consumer("on_event_notify")


def notify(session: Session, event: Event) -> None:
    """Tell everybody concerned, once."""
    event_id, drafts = envelope_of(session).event_id, drafts_of(event)
    tell(session, event_id, drafts)
    address(session, event_id, event, drafts)


for kind in MESSAGES.keys() - {OrderCreated}:
    consumer.on(kind)(notify)


@consumer.on(OrderCreated)
def notify_of_orders(session: Session, event: OrderCreated) -> None:
    """Tell the vendors, and announce the products that now run low."""
    notify(session, event)
    emit(session, *notice_low_stock(session, event.product_ids))


@consumer.afterwards
def send_mail(envelope: Envelope) -> None:
    """Send the mail that was written down; until all of it is out, the message comes again."""
    send_waiting(envelope.event_id)


main = consumer.entry_point()

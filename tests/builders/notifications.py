"""Notifications as the consumer writes them."""

from datetime import timedelta
from typing import Any

from shared.kit import clock
from shared.kit.db import transaction
from shared.kit.ids import new_id
from shared.notifications.models import Notification, NotificationType
from shared.notifications.recipients import Recipient


def a_notification(recipient: Recipient, *, age: timedelta = timedelta(), **fields: Any) -> Notification:
    """An unread order alert."""
    notification = Notification(
        **{
            "id": new_id(),
            "event_id": new_id(),
            "recipient_store_id": recipient.store_id,
            "recipient_role": recipient.role,
            "recipient_user_id": recipient.user_id,
            "type": NotificationType.ORDER_ALERT,
            "title": "New order",
            "message": "A dispensary placed an order with you.",
            "link": "/vendor/orders/1",
            "created_at": clock.now() - age,
            **fields,
        }
    )
    with transaction() as session:
        session.add(notification)
    return notification

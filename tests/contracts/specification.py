"""The catalogue of events and the topics as they were specified: written down a second time, to compare with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Specified:
    """An event: what it happens to, who hears of it, and the functions of which at least one tells of it."""

    aggregate: str
    topics: tuple[str, ...]
    emitters: tuple[str, ...]


FUNCTION_OF = {
    "notifications": "on_event_notify",
    "analytics": "on_event_analytics",
    "dispatch": "on_order_ready",
    "billing": "on_event_billing",
    "media-process": "on_media_uploaded",
    "media-delete": "on_media_deleted",
    "documents": "on_document_ready",
    "dead-letter": "on_dead_letter",
}

# Their messages wait for a function that is not written yet. Whoever writes it takes its topic from here.
AWAITING_THEIR_FUNCTION = {"analytics", "billing", "documents"}

_EVERY_CONSUMER = ("cron_publish_outbox", "on_dead_letter", *FUNCTION_OF.values())
_TOLD, _BOTH = ("notifications",), ("notifications", "analytics")

EVENTS = {
    event: Specified(aggregate, topics, emitters)
    for events, aggregate, topics, emitters in [
        (("store_registered",), "store", ("billing", "notifications"), ("auth",)),
        (
            ("member_invited", "password_reset_requested", "email_verification_requested", "security_alert"),
            "user",
            _TOLD,
            ("auth", "stores"),
        ),
        (
            ("license_submitted", "license_status_changed", "license_expiring_soon"),
            "license",
            _TOLD,
            ("licenses", "cron_license_lifecycle"),
        ),
        (("media_uploaded",), "media", ("media-process",), ("on_media_finalized",)),
        (("media_processed",), "media", ("documents",), ("on_media_uploaded",)),
        (("media_deleted",), "media", ("media-delete",), ("media", "licenses", "cron_media_cleanup")),
        (("order_created",), "checkout_group", _TOLD, ("checkout",)),
        (("checkout_converted",), "checkout_group", ("analytics",), ("checkout",)),
        (("order_decided",), "vendor_order", _BOTH, ("orders",)),
        (("order_ready_for_dispatch",), "vendor_order", ("dispatch", "notifications"), ("orders",)),
        (("order_assigned", "order_in_transit", "order_delivered"), "vendor_order", _BOTH, ("on_order_ready", "agent")),
        (("order_canceled", "order_expired"), "vendor_order", _BOTH, ("orders", "cron_order_ttl")),
        (("order_pending_nudge", "order_nudged", "order_retried"), "vendor_order", _TOLD, ("cron_order_ttl", "orders")),
        (("cash_collected", "order_paid"), "vendor_order", _BOTH, ("agent", "payouts")),
        (("payment_failed", "payment_rejected"), "vendor_order", _TOLD, ("agent", "payouts")),
        (("inventory_low",), "product", _TOLD, ("products", "on_event_notify")),
        (
            ("subscription_changed", "charge_failed", "charge_succeeded"),
            "store",
            _TOLD,
            ("billing", "square_webhook", "cron_ad_billing"),
        ),
        (("ad_spend_rolled_up",), "ad", ("analytics", "billing"), ("cron_ad_billing",)),
        (("ad_daily_charge_recorded",), "store", ("analytics", "billing"), ("cron_ad_billing",)),
        (("document_extracted", "document_needs_review"), "document", _TOLD, ("on_document_ready",)),
        # Not in the table, but meant by "dead letter → admin".
        (("dead_letter_kept",), "dead_letter", _TOLD, _EVERY_CONSUMER),
    ]
    for event in events
}

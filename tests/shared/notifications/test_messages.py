"""The table of messages: an entry for every event of the topic, in plain words, for the right people."""

import string
from uuid import UUID

import pytest

from shared.events import topics
from shared.events.catalogue import CATALOGUE
from shared.events.checkout import OrderCreated
from shared.events.licenses import LicenseStatusChanged
from shared.events.orders import CashCollected, OrderCanceled, OrderDecided
from shared.events.stores import SubscriptionChanged
from shared.events.users import EmailVerificationRequested, PasswordResetRequested
from shared.identity.permissions import SystemRole
from shared.kit.ids import new_id
from shared.notifications.drafting import drafts_of
from shared.notifications.messages import MESSAGES
from shared.notifications.models import NotificationType

TOLD = [kind for kind in CATALOGUE.values() if topics.NOTIFICATIONS in kind.topics]
BY_MAIL_ALONE = {PasswordResetRequested, EmailVerificationRequested}


def example_of(kind, **fields):
    """The catalogue's example, with every id another, so that none can be mistaken for another."""
    ids = {name: str(new_id()) for name, value in kind.example.items() if name.endswith("_id") and value}
    return kind.model_validate({**kind.example, **ids, **fields})


def test_every_event_of_the_topic_has_an_entry_and_no_other_has():
    assert set(MESSAGES) == set(TOLD)


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.event_type())
def test_an_event_is_told_in_whole_sentences_with_a_link_of_the_front_end(kind):
    drafts = drafts_of(example_of(kind))

    assert drafts
    assert {draft.mail.alone for draft in drafts if draft.mail} <= {kind in BY_MAIL_ALONE}
    for draft in drafts:
        text = f"{draft.title} {draft.message}"
        assert draft.title[-1] in string.ascii_letters + string.digits
        assert draft.message[-1] in "." + string.ascii_letters
        assert "{" not in text
        assert "_" not in text
        assert "None" not in text
        assert draft.link.startswith("/")
        assert "{" not in draft.link
        recipient = draft.recipient
        assert [recipient.store_id, recipient.role, recipient.user_id].count(None) == 2


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("order_decided", ["buyer_store_id"]),
        ("order_ready_for_dispatch", ["buyer_store_id", "admins"]),
        ("order_assigned", ["agent_user_id", "admins"]),
        ("order_in_transit", ["buyer_store_id", "vendor_store_id"]),
        ("order_delivered", ["buyer_store_id", "vendor_store_id"]),
        ("order_canceled", ["buyer_store_id", "vendor_store_id"]),
        ("order_expired", ["buyer_store_id", "vendor_store_id"]),
        ("order_pending_nudge", ["vendor_store_id"]),
        ("order_nudged", ["vendor_store_id"]),
        ("order_retried", ["vendor_store_id"]),
        ("cash_collected", ["vendor_store_id"]),
        ("order_paid", ["vendor_store_id"]),
        ("payment_failed", ["vendor_store_id", "admins"]),
        ("payment_rejected", ["vendor_store_id"]),
        ("inventory_low", ["vendor_store_id"]),
        ("license_submitted", ["store_id", "admins"]),
        ("license_status_changed", ["store_id", "admins"]),
        ("license_expiring_soon", ["store_id", "admins"]),
        ("store_registered", ["store_id", "admins"]),
        ("subscription_changed", ["store_id"]),
        ("charge_succeeded", ["store_id"]),
        ("charge_failed", ["store_id"]),
        ("dead_letter_kept", ["admins"]),
        ("member_invited", ["user_id"]),
        ("security_alert", ["user_id"]),
    ],
)
def test_who_is_told(kind, told):
    event = example_of(CATALOGUE[kind])

    recipients = [draft.recipient for draft in drafts_of(event)]

    def named(recipient):
        return "admins" if recipient.role is SystemRole.ADMIN else recipient.store_id or recipient.user_id

    assert [named(recipient) for recipient in recipients] == [getattr(event, name, "admins") for name in told]


def test_each_vendor_of_a_checkout_is_led_to_its_own_order():
    vendors, orders = [new_id(), new_id()], [new_id(), new_id()]
    event = OrderCreated.model_validate({**OrderCreated.example, "vendor_store_ids": vendors, "order_ids": orders})

    drafts = drafts_of(event)

    assert [(draft.recipient.store_id, draft.link) for draft in drafts] == [
        (vendor, f"/vendor/orders/{order}") for vendor, order in zip(vendors, orders, strict=True)
    ]


@pytest.mark.parametrize(
    ("event", "title", "message"),
    [
        (
            example_of(OrderDecided),
            "Order 1001 was partially accepted",
            "2 accepted and 1 rejected; the total is $50.00.",
        ),
        (example_of(CashCollected), "$50.00 was collected for order 1001", "Your payout follows."),
        (
            example_of(SubscriptionChanged, status="past_due", subscription_active=False),
            "Your subscription is past due",
            "Buyers do not see your products.",
        ),
        (
            example_of(LicenseStatusChanged, to_status="rejected", kyc_status="rejected", reason="Page 2 {is} missing"),
            "Your license is rejected",
            "Your store is rejected. Reason: Page 2 {is} missing",
        ),
    ],
    ids=lambda value: value.event_type() if hasattr(value, "event_type") else "",
)
def test_words_are_those_that_people_read(event, title, message):
    first = drafts_of(event)[0]

    assert (first.title, first.message) == (title, message)


def test_a_reason_is_told_to_the_vendor_when_there_is_one():
    with_one, without = (drafts_of(example_of(OrderCanceled, reason=reason))[1] for reason in ("changed_mind", None))

    assert with_one.message == "The buyer called it off; the stock is yours again. Reason: changed mind"
    assert without.message == "The buyer called it off; the stock is yours again."


def test_security_is_told_as_security():
    (draft,) = drafts_of(example_of(CATALOGUE["security_alert"]))

    assert (draft.type, isinstance(draft.recipient.user_id, UUID)) == (NotificationType.SECURITY_ALERT, True)

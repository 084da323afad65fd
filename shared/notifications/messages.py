"""What is told of which event, to whom, and by which ways: one table. A test fails for an event of our topic
without an entry.

Titles, messages and links are templates over the event's fields, put in words by `drafting`. The mail's own
template is `templates/<event type>.jinja`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from shared.events import checkout, licenses, orders, products, stores, users
from shared.identity.permissions import Permission
from shared.kit.dead_letters import DeadLetterKept
from shared.kit.outbox import Event
from shared.notifications.models import NotificationType
from shared.notifications.notices import IN_APP_ONLY, MAILED, MAILED_ALONE, Addressed, Mailed, Notice
from shared.notifications.recipients import ADMINS, Recipient

ORDER = NotificationType.ORDER_ALERT
COMPLIANCE = NotificationType.COMPLIANCE
BILLING = NotificationType.BILLING
SECURITY = NotificationType.SECURITY_ALERT
SYSTEM = NotificationType.SYSTEM_ANNOUNCEMENT

_BUYERS = Mailed(Permission.ORDERS_BUY)
_SELLERS = Mailed(Permission.ORDERS_DECIDE)
_STOCKKEEPERS = Mailed(Permission.INVENTORY_WRITE)
_LICENSEES = Mailed(Permission.LICENSES_WRITE)
_PAYERS = Mailed(Permission.BILLING_MANAGE)


def _store(field: str) -> Callable[[Any], Iterable[Addressed]]:
    return lambda event: [(Recipient(store_id=getattr(event, field)), {})]


def _user(field: str) -> Callable[[Any], Iterable[Addressed]]:
    return lambda event: [(Recipient(user_id=getattr(event, field)), {})]


def _admins(_: Any) -> Iterable[Addressed]:
    return [(ADMINS, {})]


def _each_vendor(event: checkout.OrderCreated) -> Iterable[Addressed]:
    pairs = zip(event.vendor_store_ids, event.order_ids, strict=True)
    return [(Recipient(store_id=store_id), {"order_id": order_id}) for store_id, order_id in pairs]


_buyer, _vendor, _owner, _agent = (
    _store("buyer_store_id"),
    _store("vendor_store_id"),
    _store("store_id"),
    _user("agent_user_id"),
)

_BUYERS_ORDER = "/orders/{order_id}"
_VENDORS_ORDER = "/vendor/orders/{order_id}"
_ADMINS_ORDER = "/admin/orders/{order_id}"
_AGENTS_ORDER = "/agent/orders/{order_id}"

MESSAGES: dict[type[Event], tuple[Notice, ...]] = {
    checkout.OrderCreated: (
        Notice(_each_vendor, ORDER, "New order", "A dispensary placed an order with you. Accept it in time.",
               _VENDORS_ORDER, _SELLERS),
    ),
    orders.OrderDecided: (
        Notice(_buyer, ORDER, "Order {order_number} was {status}",
               "{accepted_lines} accepted and {rejected_lines} rejected; the total is {total}.",
               _BUYERS_ORDER, _BUYERS),
    ),
    orders.OrderReadyForDispatch: (
        Notice(_buyer, ORDER, "Order {order_number} is packed", "It waits for a driver.", _BUYERS_ORDER, _BUYERS),
        Notice(_admins, ORDER, "Order {order_number} is ready for dispatch", "It waits for a driver.",
               _ADMINS_ORDER, IN_APP_ONLY),
    ),
    orders.OrderAssigned: (
        Notice(_agent, ORDER, "Order {order_number} is yours", "Pick it up at the vendor's.", _AGENTS_ORDER, MAILED),
        Notice(_admins, ORDER, "Order {order_number} has a driver", "It waits to be picked up.",
               _ADMINS_ORDER, IN_APP_ONLY),
    ),
    orders.OrderInTransit: (
        Notice(_buyer, ORDER, "Order {order_number} is on its way", "The driver has picked it up.",
               _BUYERS_ORDER, _BUYERS),
        Notice(_vendor, ORDER, "Order {order_number} was picked up", "The driver has it.", _VENDORS_ORDER, IN_APP_ONLY),
    ),
    orders.OrderDelivered: (
        Notice(_buyer, ORDER, "Order {order_number} was delivered", "Thank you for your order.",
               _BUYERS_ORDER, _BUYERS),
        Notice(_vendor, ORDER, "Order {order_number} was delivered", "The buyer has it.", _VENDORS_ORDER, IN_APP_ONLY),
    ),
    orders.OrderCanceled: (
        Notice(_buyer, ORDER, "Order {order_number} was canceled", "It will not be delivered.",
               _BUYERS_ORDER, IN_APP_ONLY),
        Notice(_vendor, ORDER, "Order {order_number} was canceled",
               "The buyer called it off; the stock is yours again.{because}", _VENDORS_ORDER, _SELLERS),
    ),
    orders.OrderExpired: (
        Notice(_buyer, ORDER, "Order {order_number} expired", "The vendor did not answer in time. You can retry it.",
               _BUYERS_ORDER, _BUYERS),
        Notice(_vendor, ORDER, "Order {order_number} expired", "It was not answered in time; the stock is yours again.",
               _VENDORS_ORDER, _SELLERS),
    ),
    orders.OrderPendingNudge: (
        Notice(_vendor, ORDER, "Order {order_number} waits for you", "Accept or reject it before it expires.",
               _VENDORS_ORDER, _SELLERS),
    ),
    orders.OrderNudged: (
        Notice(_vendor, ORDER, "The buyer asks about order {order_number}", "Accept or reject it before it expires.",
               _VENDORS_ORDER, _SELLERS),
    ),
    orders.OrderRetried: (
        Notice(_vendor, ORDER, "New order {order_number}", "A dispensary placed an expired order again.",
               _VENDORS_ORDER, _SELLERS),
    ),
    orders.CashCollected: (
        Notice(_vendor, ORDER, "{amount} was collected for order {order_number}", "Your payout follows.",
               _VENDORS_ORDER, _PAYERS),
    ),
    orders.OrderPaid: (
        Notice(_vendor, ORDER, "{amount} was paid out for order {order_number}", "The order is closed.",
               _VENDORS_ORDER, _PAYERS),
    ),
    orders.PaymentFailed: (
        Notice(_vendor, ORDER, "Collecting for order {order_number} failed", "We are looking into it.{because}",
               _VENDORS_ORDER, _PAYERS),
        Notice(_admins, ORDER, "Collecting for order {order_number} failed", "Somebody has to look into it.{because}",
               _ADMINS_ORDER, MAILED),
    ),
    orders.PaymentRejected: (
        Notice(_vendor, ORDER, "The payment for order {order_number} was rejected", "We will contact you.{because}",
               _VENDORS_ORDER, _PAYERS),
    ),
    products.InventoryLow: (
        Notice(_vendor, ORDER, "A product runs low", "{available_qty} left, at or under your threshold of "
               "{low_stock_threshold}.", "/vendor/products/{product_id}", _STOCKKEEPERS),
    ),
    licenses.LicenseSubmitted: (
        Notice(_owner, COMPLIANCE, "Your license was received", "We verify it and tell you.",
               "/licenses/{license_id}", _LICENSEES),
        Notice(_admins, COMPLIANCE, "A license waits for verification", "A store submitted it.",
               "/admin/licenses/{license_id}", MAILED),
    ),
    licenses.LicenseStatusChanged: (
        Notice(_owner, COMPLIANCE, "Your license is {to_status}", "Your store is {kyc_status}.{because}",
               "/licenses/{license_id}", _LICENSEES),
        Notice(_admins, COMPLIANCE, "A license is {to_status}", "It was {from_status}; the store is {kyc_status}."
               "{because}", "/admin/licenses/{license_id}", IN_APP_ONLY),
    ),
    licenses.LicenseExpiringSoon: (
        Notice(_owner, COMPLIANCE, "Your license expires on {expires_on}", "Submit the next one in time.",
               "/licenses/{license_id}", _LICENSEES),
        Notice(_admins, COMPLIANCE, "A license expires on {expires_on}", "The store was told.",
               "/admin/licenses/{license_id}", IN_APP_ONLY),
    ),
    stores.StoreRegistered: (
        Notice(_owner, SYSTEM, "Welcome to PackFinderz", "Submit your license to begin.", "/licenses", _LICENSEES),
        Notice(_admins, COMPLIANCE, "A {store_type} store was registered", "Its license comes next.",
               "/admin/stores/{store_id}", IN_APP_ONLY),
    ),
    stores.SubscriptionChanged: (
        Notice(_owner, BILLING, "Your subscription is {status}", "{visibility}", "/vendor/billing", _PAYERS),
    ),
    stores.ChargeSucceeded: (
        Notice(_owner, BILLING, "{amount} was charged", "For your {kind}.", "/vendor/billing/charges", _PAYERS),
    ),
    stores.ChargeFailed: (
        Notice(_owner, BILLING, "A charge of {amount} failed", "For your {kind}. Check your card.",
               "/vendor/payment-methods", _PAYERS),
    ),
    users.MemberInvited: (
        Notice(_user("user_id"), SYSTEM, "You were invited to a store", "As {role}.", "/stores", MAILED),
    ),
    users.SecurityAlert: (
        Notice(_user("user_id"), SECURITY, "Security alert: {kind}",
               "If this was not you, change your password and log out everywhere.", "/account/security", MAILED),
    ),
    DeadLetterKept: (
        Notice(_admins, SYSTEM, "Dead letter: {letter_about}", "Given up by {given_up_by}; attempts: {attempts}. "
               "Letters of this kind since we last told of them: {letters}.",
               "/admin/dead-letters/{letter_id}", MAILED),
    ),
    # By mail alone: those who ask for these may not be signed in.
    users.PasswordResetRequested: (
        Notice(_user("user_id"), SECURITY, "Choose a new password", "Somebody, hopefully you, asked for a new password "
               "for this account.", "/reset-password", MAILED_ALONE),
    ),
    users.EmailVerificationRequested: (
        Notice(_user("user_id"), SECURITY, "Confirm your email", "Please confirm that this mailbox is yours.",
               "/verify-email", MAILED_ALONE),
    ),
}  # fmt: skip

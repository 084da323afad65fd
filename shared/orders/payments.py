"""How an order gets paid: cash at the buyer's door, and what admins do when that goes wrong.

The payment intent has a table of its own, kept like the order's; each verb works under the order's lock.
"""

from enum import StrEnum

from sqlalchemy.orm import Session

from shared.events.orders import CashCollected, OrderPaid, PaymentFailed, PaymentRejected
from shared.kit import clock
from shared.kit.errors import StateConflict
from shared.orders import ledger
from shared.orders.history import Happened, about, has_happened, recorded
from shared.orders.lifecycle import DEAD, ORDERS, Action, is_done, move
from shared.orders.machine import Actor, Machine, Move
from shared.orders.models import IntentStatus, LedgerType, Order, OrderAssignment, OrderStatus, PaymentIntent
from shared.orders.queries import intent_of
from shared.orders.totals import balance_due_cents

AMOUNT_MISMATCH = "amount_mismatch"
PAID_SIGNALED = "order.paid_signaled"
COLLECTABLE = (OrderStatus.IN_TRANSIT, OrderStatus.DELIVERED)


class PaymentAction(StrEnum):
    """What moves a payment intent."""

    CREATE = "create"
    COLLECT_CASH = "collect_cash"
    FAIL = "fail"
    REJECT = "reject_payment"
    RESET = "reset_payment"
    PAY_OUT = "confirm_payout"


_Move = Move[IntentStatus, PaymentAction]
_UNPAID, _FAILED, _REJECTED = IntentStatus.UNPAID, IntentStatus.FAILED, IntentStatus.REJECTED
_OPEN = (_UNPAID, IntentStatus.PENDING, _FAILED)

INTENTS = Machine(
    "A payment",
    [
        _Move(None, Actor.CHECKOUT, PaymentAction.CREATE, (_UNPAID, IntentStatus.PENDING)),
        *(_Move(status, Actor.AGENT, PaymentAction.COLLECT_CASH, (IntentStatus.SETTLED,)) for status in _OPEN),
        *(_Move(status, Actor.AGENT, PaymentAction.FAIL, (_FAILED,)) for status in _OPEN),
        *(_Move(status, Actor.ADMIN, PaymentAction.REJECT, (_REJECTED,)) for status in _OPEN),
        *(_Move(status, Actor.ADMIN, PaymentAction.RESET, (_UNPAID,)) for status in (_FAILED, _REJECTED)),
        _Move(IntentStatus.SETTLED, Actor.ADMIN, PaymentAction.PAY_OUT, (IntentStatus.PAID,)),
    ],
)


def collect_cash(
    session: Session, order: Order, assignment: OrderAssignment, *, amount_cents: int, notes: str | None = None
) -> CashCollected | PaymentFailed:
    """The agent was handed cash. An amount other than the balance due settles nothing: the payment failed.

    The failure is a fact to be kept, so it is returned; raise it with `require_collected` once it is committed.
    Raises StateConflict when the order is not on its way or there, or when it is paid already.
    """
    intent = intent_of(session, order)
    if order.status not in COLLECTABLE:
        raise StateConflict(
            "Cash is collected on the way or at the door.",
            details={"from": order.status, "action": PaymentAction.COLLECT_CASH, "allowed": []},
        )
    INTENTS.require(intent.status, Actor.AGENT, PaymentAction.COLLECT_CASH)
    if amount_cents != order.balance_due_cents:
        return _failed(session, order, intent, amount_cents)
    with recorded(session, order, "payment.cash_collected", amount_cents=amount_cents):
        _advance(intent, Actor.AGENT, PaymentAction.COLLECT_CASH)
        intent.cash_collected_at = assignment.cash_collected_at = clock.now()
        order.balance_due_cents = balance_due_cents(order, intent)
        ledger.append(session, order, LedgerType.CASH_COLLECTED, amount_cents, memo=notes)
    return CashCollected(**about(order), agent_user_id=assignment.agent_user_id, amount_cents=amount_cents)


def require_collected(outcome: CashCollected | PaymentFailed, *, due_cents: int) -> None:
    """Raises StateConflict for a payment that failed."""
    if isinstance(outcome, PaymentFailed):
        raise StateConflict(
            "The amount is not what the buyer owes.",
            details={"reason": outcome.reason, "balance_due_cents": due_cents},
        )


def confirm_payout(session: Session, order: Order) -> Happened:
    """The vendor has its money and the order is closed. Raises StateConflict unless delivered and settled."""
    if is_done(order, Actor.ADMIN, Action.CONFIRM_PAYOUT):
        return ()
    ORDERS.require(order.status, Actor.ADMIN, Action.CONFIRM_PAYOUT)
    intent = intent_of(session, order)
    if intent.status is not IntentStatus.SETTLED:
        raise StateConflict(
            "The payment is not settled.",
            details={
                "from": order.status,
                "action": Action.CONFIRM_PAYOUT,
                "allowed": [],
                "payment_status": intent.status,
            },
        )
    with recorded(session, order, "order.payout_confirmed", amount_cents=intent.amount_cents):
        _advance(intent, Actor.ADMIN, PaymentAction.PAY_OUT)
        intent.vendor_paid_at = clock.now()
        ledger.append(session, order, LedgerType.VENDOR_PAYOUT, intent.amount_cents)
        move(order, Actor.ADMIN, Action.CONFIRM_PAYOUT)
    return (OrderPaid(**about(order), amount_cents=intent.amount_cents),)


def reject_payment(session: Session, order: Order, *, reason: str) -> Happened:
    """An admin does not take the payment for good. Raises StateConflict once it is settled, or for a dead order."""
    intent = intent_of(session, order)
    if INTENTS.is_done(intent.status, Actor.ADMIN, PaymentAction.REJECT):
        return ()
    _require_alive(order, PaymentAction.REJECT)
    INTENTS.require(intent.status, Actor.ADMIN, PaymentAction.REJECT)
    with recorded(session, order, "payment.rejected", reason=reason):
        _advance(intent, Actor.ADMIN, PaymentAction.REJECT)
        intent.failure_reason = reason
    return (PaymentRejected(**about(order), reason=reason),)


def reset_payment(session: Session, order: Order, *, reason: str) -> Happened:
    """A failed or rejected payment may be tried again. Raises StateConflict.

    What went wrong stays on the intent, which tells a reset asked for again from one without a cause.
    """
    intent = intent_of(session, order)
    if intent.status is _UNPAID and intent.failure_reason is not None:
        return ()
    _require_alive(order, PaymentAction.RESET)
    INTENTS.require(intent.status, Actor.ADMIN, PaymentAction.RESET)
    with recorded(session, order, "payment.reset", reason=reason):
        _advance(intent, Actor.ADMIN, PaymentAction.RESET)
    return ()


def signal_paid(session: Session, order: Order) -> None:
    """The vendor says that it has its money. It is written down, once, and moves nothing.

    Raises StateConflict for an order that came to nothing.
    """
    _require_alive(order, "confirm_paid")
    if not has_happened(session, order, PAID_SIGNALED):
        with recorded(session, order, PAID_SIGNALED):
            pass


def _require_alive(order: Order, action: str) -> None:
    """Raises StateConflict for an order that came to nothing."""
    if order.status in DEAD:
        raise StateConflict(
            "Nothing is paid for this order.", details={"from": order.status, "action": action, "allowed": []}
        )


def _failed(session: Session, order: Order, intent: PaymentIntent, amount_cents: int) -> PaymentFailed:
    with recorded(session, order, "payment.failed", reason=AMOUNT_MISMATCH, amount_cents=amount_cents):
        _advance(intent, Actor.AGENT, PaymentAction.FAIL)
        intent.failure_reason = AMOUNT_MISMATCH
    return PaymentFailed(**about(order), reason=AMOUNT_MISMATCH)


def _advance(intent: PaymentIntent, actor: Actor, action: PaymentAction) -> None:
    """The one place where a payment intent's status changes."""
    intent.status = INTENTS.next(intent.status, actor, action)

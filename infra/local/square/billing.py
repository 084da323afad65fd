"""Payments, and the invoices by which subscriptions are billed in advance."""

from infra.local.square.cards import GOOD, chargeable
from infra.local.square.errors import declined, invalid
from infra.local.square.state import Json, State, held, identifier, required


def create_payment(state: State, body: Json) -> Json:
    """CreatePayment from a card on file of the customer, or from a good token."""
    source_id: str = required(body, "source_id")
    money = {"amount": required(body, "amount_money", "amount"), "currency": required(body, "amount_money", "currency")}
    if money["amount"] < 1:
        raise invalid("The amount must be at least 1.", code="VALUE_TOO_LOW", field="amount_money.amount")
    if not source_id.startswith(GOOD):
        card = held(state.cards, "Card", source_id, "source_id")
        if card["customer_id"] != body.get("customer_id"):
            raise invalid("The card is not the customer's.", field="customer_id")
        if not chargeable(card):
            raise declined("GENERIC_DECLINE", "Authorization error: 'GENERIC_DECLINE'")
    told: Json = {name: body[name] for name in ("reference_id", "note", "location_id", "customer_id") if name in body}
    return {"payment": _payment(state, source_id, money, told)}


def get_payment(state: State, _: Json, payment_id: str) -> Json:
    """GetPayment."""
    return {"payment": held(state.payments, "Payment", payment_id)}


def get_invoice(state: State, _: Json, invoice_id: str) -> Json:
    """GetInvoice."""
    return {"invoice": held(state.invoices, "Invoice", invoice_id)}


def bill(state: State, subscription: Json, money: Json) -> Json:
    """The invoice for a subscription's next period, charged to its card; unpaid when the card is refused."""
    invoice: Json = {
        "id": identifier("inv:0-", 32),
        "version": 1,
        "location_id": subscription["location_id"],
        "order_id": identifier(),
        "subscription_id": subscription["id"],
        "primary_recipient": {"customer_id": subscription["customer_id"]},
        "delivery_method": "EMAIL",
        "invoice_number": f"{len(state.invoices) + 1:06d}",
        "title": "Subscription",
        "status": "UNPAID",
        "timezone": subscription["timezone"],
        "created_at": state.stamp(),
        "updated_at": state.stamp(),
        "next_payment_amount_money": money,
        "payment_requests": [
            {
                "uid": identifier(length=22),
                "request_type": "BALANCE",
                "due_date": state.today().isoformat(),
                "automatic_payment_source": "CARD_ON_FILE",
                "card_id": subscription.get("card_id"),
                "computed_amount_money": money,
                "total_completed_amount_money": {**money, "amount": 0},
            }
        ],
    }
    state.invoices[invoice["id"]] = invoice
    state.announce("invoice.created", "invoice", invoice)
    collect(state, invoice)
    return invoice


def collect(state: State, invoice: Json) -> None:
    """Charge an unpaid invoice to its card."""
    card_id = invoice["payment_requests"][0]["card_id"]
    card = state.cards.get(card_id or "")
    if card is None or not chargeable(card):
        state.announce("invoice.scheduled_charge_failed", "invoice", invoice)
    else:
        settle(state, invoice, card_id)


def settle(state: State, invoice: Json, source_id: str) -> None:
    """Pay an invoice from this source."""
    request = invoice["payment_requests"][0]
    money = request["computed_amount_money"]
    told = {name: invoice[name] for name in ("order_id", "location_id")}
    _payment(state, source_id, money, {**told, "customer_id": invoice["primary_recipient"]["customer_id"]})
    request["total_completed_amount_money"] = money
    invoice.pop("next_payment_amount_money")
    invoice.update(status="PAID", version=invoice["version"] + 1, updated_at=state.stamp())
    state.announce("invoice.payment_made", "invoice", invoice)


def _payment(state: State, source_id: str, money: Json, told: Json) -> Json:
    card = state.cards.get(source_id, {})
    payment: Json = {
        "id": identifier(length=27),
        "created_at": state.stamp(),
        "updated_at": state.stamp(),
        "amount_money": money,
        "total_money": money,
        "approved_money": money,
        "status": "COMPLETED",
        "source_type": "CARD",
        "card_details": {
            "status": "CAPTURED",
            "card": {name: card[name] for name in ("id", "card_brand", "last_4", "fingerprint") if name in card},
        },
        "version_token": identifier(length=20),
        **told,
    }
    state.payments[payment["id"]] = payment
    state.announce("payment.created", "payment", payment)
    return payment

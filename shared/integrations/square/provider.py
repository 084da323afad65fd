"""What we want of a payment provider, in our own words and without its client."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol
from uuid import UUID

Cadence = Literal["THIRTY_DAYS", "ANNUAL"]
"""How often a plan is billed, in Square's words (SubscriptionCadence)."""

KEY_LENGTH = 45
"""The longest idempotency key that every endpoint of Square takes (CreateCard has the lowest limit)."""


def key_of(purpose: str, *parts: object) -> str:
    """The idempotency key of an effect, the same whenever it is made of the same parts."""
    digest = hashlib.sha256("\x00".join(str(part) for part in parts).encode()).hexdigest()
    return f"{purpose}:{digest}"[:KEY_LENGTH]


@dataclass(frozen=True)
class CardOnFile:
    """All that we keep of a card. `fingerprint` tells the same card under two ids."""

    id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str


@dataclass(frozen=True)
class PlanIds:
    """A plan in the provider's catalogue: the plan, and the variation that carries its price."""

    plan_id: str
    variation_id: str


@dataclass(frozen=True)
class ProviderSubscription:
    """A subscription as the provider tells it.

    `status` is the provider's own word. `start_on` and `charged_through_on` are the first day and the
    last day invoiced so far; `canceled_on` is set as soon as an end is scheduled. `invoice_ids` has the
    newest first. A greater `version` is a later state.
    """

    id: str
    status: str
    version: int
    customer_id: str
    plan_variation_id: str
    card_id: str | None
    start_on: date | None
    charged_through_on: date | None
    canceled_on: date | None
    invoice_ids: tuple[str, ...]


@dataclass(frozen=True)
class ProviderInvoice:
    """A bill for one period of a subscription, owed from `due_on`; `status` is the provider's own word."""

    id: str
    status: str
    version: int
    subscription_id: str | None
    amount_cents: int
    currency: str
    due_on: date | None
    created_at: datetime


class PaymentProvider(Protocol):
    """What billing asks of Square. Every method may raise CardDeclined, SquareRefused or SquareDown.

    A `key` makes the effect single: the same key with the same request gets the first answer again.
    """

    def ensure_customer(self, *, store_id: UUID, company_name: str, email: str | None) -> str:
        """The id of the store's customer: found by reference id, then by email, else created."""
        ...

    def create_card(
        self,
        *,
        key: str,
        customer_id: str,
        source_id: str,
        verification_token: str | None,
        cardholder_name: str | None,
    ) -> CardOnFile:
        """Keep a card for a customer; `source_id` is a one-time token of the Web Payments SDK."""
        ...

    def disable_card(self, card_id: str) -> None:
        """Never charge this card again; harmless when repeated."""
        ...

    def create_plan(self, *, key: str, name: str, cadence: Cadence, price_cents: int, currency: str) -> PlanIds:
        """Put a plan with its price into the catalogue."""
        ...

    def create_price(
        self, *, key: str, plan_id: str, name: str, cadence: Cadence, price_cents: int, currency: str
    ) -> str:
        """Another price of a plan: the new variation's id. Prices themselves never change."""
        ...

    def rename_plan(self, plan_id: str, name: str) -> None:
        """Call a plan in the catalogue by another name."""
        ...

    def create_subscription(
        self, *, key: str, customer_id: str, card_id: str, plan_variation_id: str, start_on: date | None
    ) -> ProviderSubscription:
        """Subscribe a customer from `start_on` (today without one), charged to a card on file."""
        ...

    def find_subscription(self, customer_id: str) -> ProviderSubscription | None:
        """The customer's newest subscription that has not ended."""
        ...

    def get_subscription(self, subscription_id: str) -> ProviderSubscription:
        """A subscription as it is now."""
        ...

    def cancel_subscription(self, subscription_id: str) -> ProviderSubscription:
        """Let a subscription end with the period that is paid."""
        ...

    def charge_to(self, subscription_id: str, card_id: str) -> ProviderSubscription:
        """Charge a subscription to another card from now on."""
        ...

    def get_invoice(self, invoice_id: str) -> ProviderInvoice:
        """An invoice as it is now."""
        ...

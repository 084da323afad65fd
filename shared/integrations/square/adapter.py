"""The payment provider over Square's official client; the same code speaks to Square and to its stand-in."""

from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from shared.integrations.square.calls import SquareDown, SquareSettings, call, once
from shared.integrations.square.provider import (
    Cadence,
    CardOnFile,
    PaymentProvider,
    PlanIds,
    ProviderInvoice,
    ProviderSubscription,
    key_of,
)
from shared.kit.config import CommonSettings
from shared.kit.logging import log

if TYPE_CHECKING:
    from square.requests.card import CardParams
    from square.requests.customer_filter import CustomerFilterParams
    from square.types.customer import Customer
    from square.types.invoice import Invoice
    from square.types.subscription import Subscription

Value = TypeVar("Value")

_ENDED = frozenset({"CANCELED", "COMPLETED"})


def payment_provider() -> PaymentProvider:
    """The warm provider of this instance."""
    return _provider(SquareSettings.current())


def check_square() -> None:
    """Raise when Square does not answer or does not know us; nobody's customer is asked for."""
    _provider(SquareSettings.current()).find_nobody()


@lru_cache(maxsize=1)
def _provider(settings: SquareSettings) -> "SquareProvider":
    return SquareProvider(settings)


class SquareProvider:
    """Implements PaymentProvider for one Square account and location."""

    def __init__(self, settings: SquareSettings) -> None:
        from square import Square
        from square.environment import SquareEnvironment

        self._location_id = settings.square_location_id
        self._square = Square(
            base_url=settings.square_base_url or None,
            environment=SquareEnvironment[settings.square_environment.upper()],
            token=settings.square_access_token,
            timeout=settings.square_timeout_s,
        )

    def ensure_customer(self, *, store_id: UUID, company_name: str, email: str | None) -> str:
        reference = str(store_id)
        known = self._find_customer({"reference_id": {"exact": reference}})
        if known is not None:
            return _given(known.id)
        same_email = self._find_customer({"email_address": {"exact": email}}) if email else None
        # Stores of one owner share the address; a customer that is another store's stays its own.
        if same_email is not None and not same_email.reference_id:
            return self._adopt_customer(_given(same_email.id), reference)
        return self._create_customer(reference, company_name, email)

    def find_nobody(self) -> None:
        """The smallest question there is. Raises SquareDown, SquareRefused."""
        self._find_customer({"reference_id": {"exact": "nobody"}})

    def _find_customer(self, wanted: "CustomerFilterParams") -> "Customer | None":
        found = call(
            "customers.search",
            lambda: self._square.customers.search(query={"filter": wanted}, limit=1, request_options=once()),
        )
        return found.customers[0] if found.customers else None

    def _adopt_customer(self, customer_id: str, reference: str) -> str:
        call(
            "customers.update",
            lambda: self._square.customers.update(customer_id, reference_id=reference, request_options=once()),
            customer_id=customer_id,
        )
        return customer_id

    def _create_customer(self, reference: str, company_name: str, email: str | None) -> str:
        known: dict[str, Any] = {"email_address": email} if email else {}
        created = call(
            "customers.create",
            lambda: self._square.customers.create(
                idempotency_key=key_of("customer", reference, company_name, email),
                reference_id=reference,
                company_name=company_name,
                request_options=once(),
                **known,
            ),
            reference_id=reference,
        )
        customer_id: str = _given(_given(created.customer).id)
        return customer_id

    def create_card(
        self,
        *,
        key: str,
        customer_id: str,
        source_id: str,
        verification_token: str | None,
        cardholder_name: str | None,
    ) -> CardOnFile:
        card: CardParams = {"customer_id": customer_id}
        if cardholder_name is not None:
            card["cardholder_name"] = cardholder_name
        verified: dict[str, Any] = {"verification_token": verification_token} if verification_token else {}
        created = call(
            "cards.create",
            lambda: self._square.cards.create(
                idempotency_key=key, source_id=source_id, card=card, request_options=once(), **verified
            ),
            customer_id=customer_id,
        )
        told = _given(created.card)
        return CardOnFile(
            id=_given(told.id),
            brand=str(_given(told.card_brand)),
            last4=_given(told.last4),
            exp_month=_given(told.exp_month),
            exp_year=_given(told.exp_year),
            fingerprint=_given(told.fingerprint),
        )

    def disable_card(self, card_id: str) -> None:
        call("cards.disable", lambda: self._square.cards.disable(card_id, request_options=once()))

    def create_plan(self, *, key: str, name: str, cadence: Cadence, price_cents: int, currency: str) -> PlanIds:
        created = call(
            "catalog.upsert",
            lambda: self._square.catalog.object.upsert(
                idempotency_key=key_of("plan", key),
                object={"type": "SUBSCRIPTION_PLAN", "id": "#plan", "subscription_plan_data": {"name": name}},
                request_options=once(),
            ),
        )
        plan_id: str = _given(_given(created.catalog_object).id)
        variation_id = self.create_price(
            key=key, plan_id=plan_id, name=name, cadence=cadence, price_cents=price_cents, currency=currency
        )
        return PlanIds(plan_id, variation_id)

    def create_price(
        self, *, key: str, plan_id: str, name: str, cadence: Cadence, price_cents: int, currency: str
    ) -> str:
        created = call(
            "catalog.upsert",
            lambda: self._square.catalog.object.upsert(
                idempotency_key=key_of("price", key),
                object={
                    "type": "SUBSCRIPTION_PLAN_VARIATION",
                    "id": "#variation",
                    "subscription_plan_variation_data": {
                        "name": name,
                        "subscription_plan_id": plan_id,
                        "phases": [
                            {
                                "cadence": cadence,
                                "ordinal": 0,
                                "pricing": {
                                    "type": "STATIC",
                                    "price_money": {"amount": price_cents, "currency": currency},
                                },
                            }
                        ],
                    },
                },
                request_options=once(),
            ),
            plan_id=plan_id,
        )
        variation_id: str = _given(_given(created.catalog_object).id)
        return variation_id

    def rename_plan(self, plan_id: str, name: str) -> None:
        held = call(
            "catalog.get", lambda: self._square.catalog.object.get(plan_id, request_options=once()), plan_id=plan_id
        )
        version: int = _given(_given(held.object).version)
        call(
            "catalog.upsert",
            lambda: self._square.catalog.object.upsert(
                idempotency_key=key_of("rename", plan_id, version, name),
                object={
                    "type": "SUBSCRIPTION_PLAN",
                    "id": plan_id,
                    "version": version,
                    "subscription_plan_data": {"name": name},
                },
                request_options=once(),
            ),
            plan_id=plan_id,
        )

    def create_subscription(
        self, *, key: str, customer_id: str, card_id: str, plan_variation_id: str, start_on: date | None
    ) -> ProviderSubscription:
        start: dict[str, Any] = {"start_date": start_on.isoformat()} if start_on else {}
        created = call(
            "subscriptions.create",
            lambda: self._square.subscriptions.create(
                idempotency_key=key,
                location_id=self._location_id,
                customer_id=customer_id,
                card_id=card_id,
                plan_variation_id=plan_variation_id,
                timezone=CommonSettings.current().time_zone,
                request_options=once(),
                **start,
            ),
            customer_id=customer_id,
            plan_variation_id=plan_variation_id,
        )
        return _subscription(created.subscription)

    def find_subscription(self, customer_id: str) -> ProviderSubscription | None:
        found = call(
            "subscriptions.search",
            lambda: self._square.subscriptions.search(
                query={"filter": {"customer_ids": [customer_id], "location_ids": [self._location_id]}},
                request_options=once(),
            ),
            customer_id=customer_id,
        )
        alive = [held for held in found.subscriptions or [] if held.status not in _ENDED]
        newest = max(alive, key=lambda held: held.created_at or "", default=None)
        return _subscription(newest) if newest else None

    def get_subscription(self, subscription_id: str) -> ProviderSubscription:
        held = call(
            "subscriptions.get",
            lambda: self._square.subscriptions.get(subscription_id, request_options=once()),
            subscription_id=subscription_id,
        )
        return _subscription(held.subscription)

    def cancel_subscription(self, subscription_id: str) -> ProviderSubscription:
        canceled = call(
            "subscriptions.cancel",
            lambda: self._square.subscriptions.cancel(subscription_id, request_options=once()),
            subscription_id=subscription_id,
        )
        return _subscription(canceled.subscription)

    def charge_to(self, subscription_id: str, card_id: str) -> ProviderSubscription:
        updated = call(
            "subscriptions.update",
            lambda: self._square.subscriptions.update(
                subscription_id, subscription={"card_id": card_id}, request_options=once()
            ),
            subscription_id=subscription_id,
        )
        return _subscription(updated.subscription)

    def get_invoice(self, invoice_id: str) -> ProviderInvoice:
        held = call(
            "invoices.get",
            lambda: self._square.invoices.get(invoice_id, request_options=once()),
            invoice_id=invoice_id,
        )
        return _invoice(held.invoice)


def _given(value: Value | None) -> Value:
    """A field that Square always sends. The client does not check answers, so this does. Raises SquareDown."""
    if value is None:
        log.error("square_answer_incomplete")
        raise SquareDown
    return value


def _subscription(told: "Subscription | None") -> ProviderSubscription:
    held = _given(told)
    return ProviderSubscription(
        id=_given(held.id),
        status=str(_given(held.status)),
        version=held.version or 0,
        customer_id=_given(held.customer_id),
        plan_variation_id=_given(held.plan_variation_id),
        card_id=held.card_id,
        start_on=_day(held.start_date),
        charged_through_on=_day(held.charged_through_date),
        canceled_on=_day(held.canceled_date),
        invoice_ids=tuple(held.invoice_ids or ()),
    )


def _invoice(told: "Invoice | None") -> ProviderInvoice:
    held = _given(told)
    requests = held.payment_requests or []
    asked = [_given(request.computed_amount_money) for request in requests]
    return ProviderInvoice(
        id=_given(held.id),
        status=str(_given(held.status)),
        version=held.version or 0,
        subscription_id=held.subscription_id,
        amount_cents=sum(_given(money.amount) for money in asked),
        currency=str(_given(asked[0].currency)) if asked else "USD",
        due_on=min((day for request in requests if (day := _day(request.due_date))), default=None),
        created_at=datetime.fromisoformat(_given(held.created_at)),
    )


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None

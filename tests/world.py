"""A small marketplace in which everything is as it must be: for tests of what notices when it is not."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.billing.models import (
    BillingPlan,
    Charge,
    ChargeStatus,
    ChargeType,
    PaymentMethod,
    PlanInterval,
    Subscription,
    SubscriptionStatus,
)
from shared.events.orders import OrderNudged
from shared.identity.models import KycStatus, Store
from shared.identity.permissions import StoreType
from shared.kit import clock
from shared.kit.db import transaction
from shared.kit.ids import new_id
from shared.kit.outbox import emit
from shared.licensing.models import License, LicenseStatus
from shared.media.kinds import MediaKind
from shared.media.models import EntityType, Media
from shared.orders.models import IntentStatus, Order, OrderStatus
from tests.builders.media import a_license, a_media, attached
from tests.builders.orders import A, an_order
from tests.builders.products import a_product
from tests.builders.stores import a_store


@dataclass(frozen=True)
class World:
    """What lives in it: an order in every status, their two stores, and what belongs to these."""

    buyer: Store
    vendor: Store
    license: License
    orders: dict[OrderStatus, Order]
    photo: Media
    subscription: Subscription
    cards: tuple[PaymentMethod, PaymentMethod]


def a_world() -> World:
    """Everything holds in it."""
    buyer, vendor = a_licensed(StoreType.BUYER), a_licensed(StoreType.VENDOR)
    for kyc_status, license_status, days in (
        (KycStatus.PENDING_VERIFICATION, LicenseStatus.PENDING, 300),
        (KycStatus.REJECTED, LicenseStatus.REJECTED, 300),
        (KycStatus.EXPIRED, LicenseStatus.EXPIRED, -3),
        (KycStatus.SUSPENDED, LicenseStatus.VERIFIED, 300),
    ):
        store = a_store(StoreType.BUYER, kyc_status=kyc_status)
        a_license(store, status=license_status, expires_in_days=days)
    license = a_license(buyer, status=LicenseStatus.PENDING)
    photo = a_media(vendor, MediaKind.PRODUCT)
    attached(photo, EntityType.PRODUCT_GALLERY, a_product(vendor).id)
    return World(
        buyer,
        vendor,
        license,
        {status: an_order(status, **_parties(buyer, vendor), **_more(status)) for status in OrderStatus},
        photo,
        a_paid_subscription(vendor),
        (a_kept_card(vendor, is_default=True), a_kept_card(vendor)),
    )


def a_licensed(kind: StoreType) -> Store:
    """A store that is verified because of its license, and sells nothing yet."""
    store = a_store(kind, subscription_active=kind is StoreType.VENDOR)
    a_license(store)
    return store


def a_kept_card(store: Store, *, is_default: bool = False) -> PaymentMethod:
    """A card as it is after Square took it."""
    card_id = new_id()
    card = PaymentMethod(
        id=card_id,
        store_id=store.id,
        square_card_id=f"ccof:{card_id}",
        brand="VISA",
        last4="1111",
        exp_month=12,
        exp_year=2030,
        fingerprint=f"sq-1-{card_id}",
        is_default=is_default,
    )
    with transaction() as session:
        session.add(card)
    return card


def a_paid_subscription(store: Store, **fields: Any) -> Subscription:
    """A subscription as it is after Square told of its first payment."""
    plan_id, number = new_id(), new_id()
    plan = BillingPlan(
        id=plan_id,
        name=f"Plan {plan_id}",
        interval=PlanInterval.EVERY_30_DAYS,
        price_cents=9_900,
        square_plan_id="P1",
        square_variation_id="V1",
    )
    subscription = Subscription(
        **{
            "id": new_id(),
            "store_id": store.id,
            "plan_id": plan_id,
            "square_subscription_id": str(number),
            "square_customer_id": "C1",
            "status": SubscriptionStatus.ACTIVE,
            "provider_status": "ACTIVE",
            "provider_version": 1,
            **fields,
        }
    )
    with transaction() as session:
        session.add(plan)
        session.flush()
        session.add(subscription)
    return subscription


def a_paid_period(subscription: Subscription, *, end_on: date) -> Charge:
    """An invoice of the subscription that was paid."""
    charge = Charge(
        id=new_id(),
        store_id=subscription.store_id,
        type=ChargeType.SUBSCRIPTION,
        amount_cents=9_900,
        status=ChargeStatus.SUCCEEDED,
        square_subscription_id=subscription.square_subscription_id,
        billed_at=clock.now(),
        period_end_on=end_on,
    )
    with transaction() as session:
        session.add(charge)
    return charge


def told(order: Order, times: int = 3) -> None:
    """The order has events in the outbox."""
    event = OrderNudged(
        order_id=order.id,
        order_number=order.order_number,
        buyer_store_id=order.buyer_store_id,
        vendor_store_id=order.vendor_store_id,
    )
    with transaction() as session:
        emit(session, *[event] * times)


def _parties(buyer: Store, vendor: Store) -> dict[str, Store]:
    return {"buyer": buyer, "vendor": vendor}


def _more(status: OrderStatus) -> dict[str, Any]:
    """Some variety: a discount and a promo, a settled delivery, a failed payment."""
    if status is OrderStatus.ACCEPTED:
        return {"lines": (A(qty=3, discount_cents=500), A(qty=1)), "promo_cents": 1_000}
    if status is OrderStatus.DELIVERED:
        return {"payment": IntentStatus.SETTLED}
    return {"payment": IntentStatus.FAILED} if status is OrderStatus.IN_TRANSIT else {}

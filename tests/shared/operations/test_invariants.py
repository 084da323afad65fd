"""Each check is silent in a sound world, and names the row when that one thing is wrong.

The damage is done behind the back of the database's own guards: triggers rest, and an index is dropped where
it would forbid what the check looks for.
"""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text, update

from shared.identity.models import KycStatus, Store
from shared.identity.permissions import StoreType
from shared.kit import clock
from shared.kit.config import CommonSettings
from shared.kit.context import Work, working
from shared.kit.db import transaction
from shared.licensing.models import License
from shared.operations.checks import CHECKS
from shared.operations.invariants import Finding, Violation, check_all
from shared.orders.models import OrderStatus
from tests.builders.products import a_product
from tests.builders.reviews import a_review
from tests.invariants import broken
from tests.world import World, a_licensed, a_world, told

Breakage = Callable[[World], UUID]

S = OrderStatus


@pytest.fixture(scope="module")
def world(module_database: None) -> World:
    """All look at the same one; what a test damages is whole again after it."""
    built = a_world()
    for order in built.orders.values():
        told(order)
    return built


def damage(*statements: str, **parameters: object) -> None:
    """Change rows while no trigger looks."""
    with transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            named = {name: value for name, value in parameters.items() if f":{name}" in statement}
            session.execute(text(statement), named)
        session.execute(text("SET LOCAL session_replication_role = DEFAULT"))


def a_movement_is_lost(world: World) -> UUID:
    product_id = world.orders[S.ACCEPTED].lines[0].product_id
    damage("DELETE FROM inventory_movements WHERE product_id = :id AND reason = 'initial'", id=product_id)
    return product_id


def a_reservation_moves_only_half(world: World) -> UUID:
    product_id = world.orders[S.ACCEPTED].lines[0].product_id
    damage(
        "UPDATE inventory_movements SET delta_reserved_qty = 0 WHERE product_id = :id AND reason = 'reserved'",
        id=product_id,
    )
    return product_id


def a_stock_has_no_row(world: World) -> UUID:
    product_id = world.orders[S.CLOSED].lines[0].product_id
    damage("DELETE FROM inventory_items WHERE product_id = :id", id=product_id)
    return product_id


@pytest.mark.parametrize("lose", [a_movement_is_lost, a_reservation_moves_only_half, a_stock_has_no_row])
def test_stock_that_its_movements_do_not_explain(world, lose):
    product_id = lose(world)

    assert broken() == {"stock_equals_movements": [str(product_id)]}


@pytest.mark.parametrize("status", [S.CREATED_PENDING, S.HOLD, S.READY_FOR_DISPATCH, S.IN_TRANSIT])
def test_stock_of_an_open_line_that_nobody_holds_back(world, status):
    product_id = world.orders[status].lines[0].product_id
    damage(
        "UPDATE inventory_items SET reserved_qty = 0 WHERE product_id = :id",
        "UPDATE inventory_movements SET delta_reserved_qty = 0 WHERE product_id = :id",
        id=product_id,
    )

    assert broken() == {"reserved_equals_open_lines": [str(product_id)]}


@pytest.mark.parametrize("status", [S.REJECTED, S.CANCELED, S.EXPIRED, S.DELIVERED, S.CLOSED])
def test_stock_held_back_for_a_line_that_is_over(world, status):
    product_id = world.orders[status].lines[0].product_id
    damage(
        "UPDATE inventory_items SET reserved_qty = 1 WHERE product_id = :id",
        "INSERT INTO inventory_movements (product_id, delta_available_qty, delta_reserved_qty, reason, actor,"
        " created_at) VALUES (:id, 0, 1, 'reserved', 'system', now())",
        id=product_id,
    )

    assert broken() == {"reserved_equals_open_lines": [str(product_id)]}


@pytest.mark.parametrize("column", ["line_total_cents", "unit_price_cents"])
def test_a_line_that_does_not_multiply(world, column):
    line_id = world.orders[S.ACCEPTED].lines[0].id
    damage("UPDATE order_line_items SET column = column + 1 WHERE id = :id".replace("column", column), id=line_id)

    assert broken() == {"line_totals": [str(line_id)]}


def test_an_order_whose_lines_make_another_sum(world):
    order = world.orders[S.PARTIALLY_ACCEPTED]
    damage(
        "UPDATE vendor_orders SET subtotal_cents = subtotal_cents + 100, total_cents = total_cents + 100,"
        " balance_due_cents = balance_due_cents + 100 WHERE id = :id",
        "UPDATE payment_intents SET amount_cents = amount_cents + 100 WHERE order_id = :id",
        id=order.id,
    )

    assert broken() == {"order_totals_equal_lines": [str(order.id)]}


def test_an_order_whose_total_does_not_know_of_its_promo(world):
    order = world.orders[S.ACCEPTED]
    damage("UPDATE vendor_orders SET promo_discount_cents = promo_discount_cents + 1 WHERE id = :id", id=order.id)

    assert broken() == {"order_totals_equal_lines": [str(order.id)]}


@pytest.mark.parametrize(("status", "cents"), [(S.CANCELED, 1), (S.DELIVERED, 1), (S.ACCEPTED, 0), (S.IN_TRANSIT, 1)])
def test_a_balance_that_is_not_what_is_owed(world, status, cents):
    order = world.orders[status]
    damage("UPDATE vendor_orders SET balance_due_cents = :cents WHERE id = :id", id=order.id, cents=cents)

    assert broken() == {"balance_due": [str(order.id)]}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE payment_intents SET amount_cents = amount_cents + 1 WHERE order_id = :id",
        "UPDATE payment_intents SET method = 'ach' WHERE order_id = :id",
        "DELETE FROM payment_intents WHERE order_id = :id",
    ],
)
def test_an_order_that_its_intent_does_not_fit(world, change):
    order = world.orders[S.ACCEPTED]
    damage(change, id=order.id)

    assert broken() == {"intent_equals_order": [str(order.id)]}


def test_a_payout_that_is_not_what_was_collected(world):
    order = world.orders[S.CLOSED]
    damage("UPDATE ledger_events SET amount_cents = 1 WHERE order_id = :id AND type = 'vendor_payout'", id=order.id)

    assert broken() == {"ledger_identity": [str(order.id)]}


def test_what_the_platform_keeps_and_gives_back_is_part_of_the_identity(world):
    order = world.orders[S.CLOSED]
    damage(
        "UPDATE ledger_events SET amount_cents = amount_cents - 700 WHERE order_id = :id AND type = 'vendor_payout'",
        "INSERT INTO ledger_events (id, order_id, type, amount_cents, actor, created_at) VALUES"
        " (gen_random_uuid(), :id, 'adjustment', 500, 'system', now()),"
        " (gen_random_uuid(), :id, 'refund', 200, 'system', now())",
        id=order.id,
    )

    assert broken() == {}


def test_cash_that_was_not_collected_for_a_settled_intent(world):
    order = world.orders[S.DELIVERED]
    damage("DELETE FROM ledger_events WHERE order_id = :id", id=order.id)

    assert broken() == {"ledger_equals_intents": [str(order.id)]}


@pytest.mark.parametrize("kind", ["cash_collected", "vendor_payout"])
def test_money_that_moved_for_an_unpaid_order(world, kind):
    order = world.orders[S.ACCEPTED]
    damage(
        "INSERT INTO ledger_events (id, order_id, type, amount_cents, actor, created_at)"
        " VALUES (gen_random_uuid(), :id, :kind, 1, 'system', now())".replace(":kind", f"'{kind}'"),
        id=order.id,
    )

    assert broken() == {"ledger_equals_intents": [str(order.id)]}


@pytest.mark.parametrize("flags", [(True, True), (False, False)])
def test_a_store_without_exactly_one_default_card(world, flags):
    damage("DROP INDEX uq_payment_methods_default")
    for card, is_default in zip(world.cards, flags, strict=True):
        damage("UPDATE payment_methods SET is_default = :is_default WHERE id = :id", id=card.id, is_default=is_default)

    assert broken() == {"one_default_card": [str(world.vendor.id)]}


def test_a_buyer_with_two_active_carts(world):
    damage(
        "DROP INDEX uq_cart_records_active",
        "INSERT INTO cart_records (id, buyer_store_id, status, subtotal_cents, discounts_cents, total_cents,"
        " valid_until, intent, created_at) SELECT gen_random_uuid(), :id, 'active', 0, 0, 0, now(), '{}', now()"
        " FROM generate_series(1, 2)",
        id=world.buyer.id,
    )

    assert broken() == {"one_active_cart": [str(world.buyer.id)]}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE media_attachments SET entity_id = gen_random_uuid() WHERE media_id = :id",
        "UPDATE media_attachments SET entity_type = 'user_avatar' WHERE media_id = :id",
        "UPDATE media SET status = 'deleted' WHERE id = :id",
    ],
)
def test_a_file_attached_to_nothing_or_itself_gone(world, change):
    damage(change, id=world.photo.id)

    assert broken() == {"no_orphan_attachments": [str(world.photo.id)]}


def test_a_verified_store_without_a_good_license(world):
    today = clock.today(CommonSettings.current().time_zone)
    with transaction() as session:
        expired = update(License).where(License.store_id == world.vendor.id)
        session.execute(expired.values(issued_on=today - timedelta(days=9), expires_on=today - timedelta(days=1)))

    assert broken() == {"kyc_mirrors_licenses": [str(world.vendor.id)]}


@pytest.mark.parametrize("kyc_status", [status for status in KycStatus if status not in ("verified", "suspended")])
def test_a_licensed_store_that_is_not_verified(world, kyc_status):
    with transaction() as session:
        session.execute(update(Store).where(Store.id == world.buyer.id).values(kyc_status=kyc_status))

    assert broken() == {"kyc_mirrors_licenses": [str(world.buyer.id)]}


def test_a_store_that_counts_as_active_and_subscribed_to_nothing(world):
    with transaction() as session:
        session.execute(update(Store).where(Store.id == world.buyer.id).values(subscription_active=True))

    assert broken() == {"subscription_flag": [str(world.buyer.id)]}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE reviews SET rating = 1 WHERE id = :id",
        "UPDATE reviews SET hidden_at = now(), hidden_reason = 'rude' WHERE id = :id",
        "DELETE FROM reviews WHERE id = :id",
        "UPDATE {table} SET rating_count = 2 WHERE id = :subject",
        "UPDATE {table} SET rating_sum = 3 WHERE id = :subject",
    ],
)
@pytest.mark.parametrize("table", ["stores", "products"])
def test_a_rating_that_is_not_what_the_reviews_make(world, table, change):
    subject = world.vendor if table == "stores" else a_product(world.vendor)
    review = a_review(world.buyer, subject, 4)
    a_review(a_licensed(StoreType.BUYER), subject, 1, hidden_at=clock.now(), hidden_reason="rude")
    assert broken() == {}

    damage(change.format(table=table), id=review.id, subject=subject.id)

    assert broken() == {f"{table.removesuffix('s')}_ratings_equal_reviews": [str(subject.id)]}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE products SET is_active = false WHERE vendor_store_id = :id",
        "DELETE FROM product_counts WHERE vendor_store_id = :id AND facet = 'category'",
        "INSERT INTO product_counts (vendor_store_id, facet, value, count) VALUES (:id, 'strain', 'Nobody''s', 1)",
    ],
)
def test_a_count_that_is_not_what_the_products_make(world, change):
    damage(change, id=world.vendor.id)

    found = broken()
    assert (list(found), set(found["product_counts_equal_products"])) == (
        ["product_counts_equal_products"],
        {str(world.vendor.id)},
    )


@pytest.mark.parametrize("sequence", [1, 2, 3])
def test_an_event_that_is_lost(world, sequence):
    order = world.orders[S.ACCEPTED]
    damage("DELETE FROM outbox_events WHERE aggregate_id = :id AND sequence = :n", id=order.id, n=sequence)

    (finding,) = check_all(["outbox_without_gaps"])

    detail = f"vendor_order has no event {sequence} to {sequence}"
    assert finding == Finding("outbox_without_gaps", 1, (Violation(str(order.id), detail),))


def test_all_events_of_an_aggregate_that_are_lost(world):
    order = world.orders[S.ACCEPTED]
    damage("DELETE FROM outbox_events WHERE aggregate_id = :id", id=order.id)

    assert broken() == {"outbox_without_gaps": [str(order.id)]}


@pytest.mark.parametrize(("days_old", "is_lost"), [(29, True), (31, False)])
def test_a_gap_may_be_retentions_work_when_what_stands_before_it_is_old_enough(world, days_old, is_lost):
    order = world.orders[S.ACCEPTED]
    damage(
        "UPDATE outbox_events SET occurred_at = :then WHERE aggregate_id = :id AND sequence = 1",
        "DELETE FROM outbox_events WHERE aggregate_id = :id AND sequence = 2",
        id=order.id,
        then=clock.now() - timedelta(days=days_old),
    )

    assert broken() == ({"outbox_without_gaps": [str(order.id)]} if is_lost else {})


def test_retention_may_have_removed_the_first_events_of_an_old_aggregate(world, freeze):
    order = world.orders[S.ACCEPTED]
    damage("DELETE FROM outbox_events WHERE aggregate_id = :id AND sequence < 3", id=order.id)
    freeze(clock.now() + timedelta(days=31))

    (finding,) = check_all(["outbox_without_gaps"])

    assert finding.holds


def test_an_event_that_its_aggregate_never_counted(world):
    order = world.orders[S.ACCEPTED]
    damage("UPDATE outbox_sequences SET last_sequence = 2 WHERE aggregate_id = :id", id=order.id)

    with transaction() as session:
        row = text("SELECT id FROM outbox_events WHERE aggregate_id = :id AND sequence = 3")
        event_id = session.scalar(row, {"id": order.id})
    assert broken() == {"outbox_within_counters": [str(event_id)]}


def test_a_sound_world_breaks_nothing_and_costs_two_statements_a_check(world):
    with working(Work(function="test", request_id="request-1")) as this:
        findings = check_all()

    assert [(finding.check, finding.count, finding.failure) for finding in findings] == [
        (name, 0, None) for name in CHECKS
    ]
    assert this.sql_statements == 2 * len(CHECKS)

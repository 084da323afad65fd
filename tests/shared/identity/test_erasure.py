"""A month after its deletion a store is erased, or nameless if orders or money must stay."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, text, update

import shared.billing.erasure
import shared.catalog.erasure
import shared.licensing.erasure
import shared.orders.erasure
import shared.reviews.erasure
from shared.billing.models import Charge, ChargeStatus, ChargeType, PaymentMethod
from shared.catalog.models import Product, VendorPromo, Wishlist, WishlistItem
from shared.catalog.wishlist import wish
from shared.events.media import MediaDeleted
from shared.identity.deletion import delete_store
from shared.identity.erasure import KEPT_AFTER, Erasure, erase, list_due
from shared.identity.models import Store, StoreMembership, User
from shared.inventory.models import InventoryMovement
from shared.kit import clock
from shared.kit.context import Work, working
from shared.kit.db import read_only, transaction
from shared.kit.errors import NotFound
from shared.kit.ids import new_id
from shared.licensing.models import License
from shared.media.kinds import MediaKind
from shared.media.models import EntityType, Media, MediaAttachment, MediaStatus
from shared.operations.invariants import check_all
from shared.orders.models import Cart, Order
from shared.reviews.models import Review
from tests.builders.carts import a_cart
from tests.builders.media import a_license, a_media, attached
from tests.builders.orders import an_order
from tests.builders.products import a_product, a_promo
from tests.builders.reviews import a_review
from tests.builders.stores import a_buyer, a_member, a_user, a_vendor
from tests.events import audited

CONTEXTS = (shared.orders, shared.reviews, shared.billing, shared.catalog, shared.licensing)
TRACES = [context.erasure.TRACES for context in CONTEXTS]
NOW = clock.now()


@pytest.fixture(autouse=True)
def _now(freeze):
    freeze(NOW)


def deleted(store: Store, *, ago: timedelta = KEPT_AFTER) -> Store:
    """The store, deleted some time ago."""
    with transaction() as session:
        delete_store(session, store.id)
        session.execute(update(Store).where(Store.id == store.id).values(deleted_at=NOW - ago))
    return store


def erased(store: Store) -> Erasure:
    with transaction() as session:
        return erase(session, store.id, TRACES)


def files_are_deleted(store: Store) -> None:
    """What happens after the events: every file that shall go is gone."""
    with transaction() as session:
        gone = Media.status == MediaStatus.DELETE_REQUESTED
        session.execute(
            text("DELETE FROM media WHERE store_id = :id AND status = 'delete_requested'"), {"id": store.id}
        )
        assert session.scalar(select(func.count()).where(Media.store_id == store.id, gone)) == 0


def rows_of(model, *conditions) -> int:
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(model).where(*conditions))


def find(store: Store) -> Store | None:
    with read_only() as session:
        return session.get(Store, store.id)


def test_a_store_without_orders_is_gone_with_all_that_was_its_own(events):
    farm = a_vendor()
    rosa = a_member(farm)
    a_promo(farm)
    deleted(farm)

    outcome = erased(farm)

    assert outcome is Erasure.DELETED
    assert find(farm) is None
    assert rows_of(StoreMembership, StoreMembership.store_id == farm.id) == 0
    assert rows_of(VendorPromo) == 0
    assert rows_of(User, User.id == rosa.id) == 1
    assert audited("store.erased") == [("store.erased", farm.id, {"outcome": "deleted"})]
    assert events.emitted() == []


def test_a_buyers_cart_goes_too():
    shop = a_buyer()
    a_cart(shop, (a_product(), 1))
    assert rows_of(Cart) == 1
    deleted(shop)

    assert erased(shop) is Erasure.DELETED
    assert rows_of(Cart) == 0


def test_a_buyers_wishlist_goes_whether_its_store_goes_or_stays_nameless():
    gone, nameless, other = a_buyer(), a_buyer(), a_buyer()
    product = a_product()
    for shop in (gone, nameless, other):
        with transaction() as session:
            wish(session, shop.id, product.id)
    an_order(buyer=nameless)

    outcomes = [erased(deleted(shop)) for shop in (gone, nameless)]

    assert outcomes == [Erasure.DELETED, Erasure.ANONYMISED]
    assert rows_of(Wishlist, Wishlist.store_id == other.id) == rows_of(Wishlist) == rows_of(WishlistItem) == 1


def test_what_a_buyer_wrote_stays_and_what_was_written_of_a_vendor_goes():
    shop, farm, other = a_buyer(company_name="Green Mesa LLC"), a_vendor(), a_vendor()
    product = a_product(farm)
    for subject in (farm, product, other):
        a_review(shop, subject)
    an_order(vendor=farm)

    outcomes = [erased(deleted(store)) for store in (farm, shop)]

    assert outcomes == [Erasure.ANONYMISED, Erasure.ANONYMISED]
    with read_only() as session:
        (kept,) = session.scalars(select(Review))
    assert (kept.store_id, kept.buyer_store_id) == (other.id, shop.id)
    assert find(shop).name == "Deleted store"
    assert (find(farm).rating_count, find(farm).rating_sum) == (0, 0)
    assert all(finding.holds for finding in check_all(["store_ratings_equal_reviews", "product_ratings_equal_reviews"]))


def test_a_person_leaves_no_name_under_what_they_wrote():
    shop, farm = a_buyer(), a_vendor()
    rosa = a_user()
    written = a_review(shop, farm, author_user_id=rosa.id)

    with transaction() as session:
        session.execute(delete(User).where(User.id == rosa.id))

    with read_only() as session:
        assert session.get_one(Review, written.id).author_user_id is None


def test_its_files_and_licenses_go_first_and_then_the_store(events):
    farm = a_vendor()
    logo = a_media(farm, MediaKind.STORE)
    attached(logo, EntityType.STORE_LOGO, farm.id)
    license = a_license(farm)
    deleted(farm)

    first = erased(farm)

    assert first is Erasure.WAITING
    assert {event.media_id for event in events.emitted(MediaDeleted)} == {logo.id, license.media_id}
    assert rows_of(MediaAttachment) == rows_of(License) == 0
    assert find(farm).company_name == farm.company_name

    again = erased(farm)
    files_are_deleted(farm)
    last = erased(farm)

    assert (again, last) == (Erasure.WAITING, Erasure.DELETED)
    assert len(events.emitted(MediaDeleted)) == 2
    assert find(farm) is None


@pytest.mark.parametrize("side", ["buyer", "vendor"])
def test_with_orders_it_stays_nameless(side):
    order = an_order()
    store = {"buyer": order.buyer_store_id, "vendor": order.vendor_store_id}[side]
    with read_only() as session:
        store = session.get(Store, store)
    a_member(store)
    deleted(store)

    outcome = erased(store)

    assert outcome is Erasure.ANONYMISED
    left = find(store)
    assert (left.id, left.type, left.state, left.deleted_at) == (store.id, store.type, "OK", NOW - KEPT_AFTER)
    assert (left.company_name, left.slug) == ("Deleted store", f"deleted-{store.id.hex}")
    assert (left.line1, left.line2, left.city, left.postal_code, left.lat, left.lng) == ("", None, "", "", 0, 0)
    assert (left.dba_name, left.description, left.phone, left.email, left.square_customer_id) == (None,) * 5
    assert (left.logo_media_id, left.banner_media_id, left.suspended_reason) == (None,) * 3
    assert (left.social_links, left.categories, left.subscription_active) == ({}, [], False)
    assert left.anonymised_at == NOW
    assert rows_of(StoreMembership, StoreMembership.store_id == store.id) == 0
    assert rows_of(Order, Order.id == order.id) == 1
    assert audited("store.erased") == [("store.erased", store.id, {"outcome": "anonymised"})]


def test_the_papers_of_its_orders_stay(events):
    order = an_order()
    with read_only() as session:
        farm = session.get(Store, order.vendor_store_id)
    manifest, signature, logo = (a_media(farm, kind) for kind in (MediaKind.MANIFEST, MediaKind.OTHER, MediaKind.STORE))
    attached(manifest, EntityType.ORDER_MANIFEST, order.id)
    attached(signature, EntityType.ORDER_SIGNATURE, order.id)
    deleted(farm)

    first = erased(farm)
    files_are_deleted(farm)
    last = erased(farm)

    assert (first, last) == (Erasure.WAITING, Erasure.ANONYMISED)
    assert [event.media_id for event in events.emitted(MediaDeleted)] == [logo.id]
    assert rows_of(Media, Media.store_id == farm.id) == 2
    assert rows_of(MediaAttachment, MediaAttachment.entity_id == order.id) == 2


def test_products_stay_in_the_archive_with_the_book_of_their_stock():
    farm = a_vendor()
    product = a_product(farm)
    promo = a_promo(farm)
    deleted(farm)

    assert erased(farm) is Erasure.ANONYMISED
    with read_only() as session:
        left = session.get(Product, product.id)
        assert (left.is_active, left.deleted_at, left.vendor_name) == (False, NOW, "Deleted store")
        assert session.get(VendorPromo, promo.id).is_active is False
    assert rows_of(InventoryMovement, InventoryMovement.product_id == product.id) == 1


def test_what_it_paid_us_stays_and_its_cards_go():
    farm = a_vendor()
    with transaction() as session:
        session.add(
            Charge(
                store_id=farm.id,
                type=ChargeType.SUBSCRIPTION,
                amount_cents=9_900,
                status=ChargeStatus.SUCCEEDED,
                billed_at=NOW,
            )
        )
        session.add(
            PaymentMethod(
                store_id=farm.id,
                square_card_id="ccof:1",
                brand="VISA",
                last4="1111",
                exp_month=1,
                exp_year=2030,
                fingerprint="f",
            )
        )
    deleted(farm)

    assert erased(farm) is Erasure.ANONYMISED
    assert rows_of(Charge, Charge.store_id == farm.id) == 1
    assert rows_of(PaymentMethod) == 0


def test_a_store_is_due_after_thirty_days_and_once():
    early = deleted(a_buyer(), ago=KEPT_AFTER - timedelta(seconds=1))
    late, later = deleted(a_buyer(), ago=KEPT_AFTER), deleted(a_buyer(), ago=KEPT_AFTER + timedelta(days=1))
    kept = an_order().buyer_store_id
    with read_only() as session:
        nameless = session.get(Store, kept)
    deleted(nameless, ago=KEPT_AFTER + timedelta(days=2))
    a_buyer()

    with read_only() as session:
        assert list_due(session, 10) == [kept, later.id, late.id]
        assert list_due(session, 1) == [kept]
    with transaction() as session:
        assert erase(session, kept, TRACES) is Erasure.ANONYMISED
    with read_only() as session:
        assert list_due(session, 10) == [later.id, late.id]
    for not_due in (early.id, kept, new_id()):
        with pytest.raises(NotFound), transaction() as session:
            erase(session, not_due, TRACES)
    assert find(early) is not None


def test_a_live_store_is_never_erased():
    shop = a_buyer()

    with pytest.raises(NotFound):
        erased(shop)
    assert find(shop).company_name == shop.company_name


def test_the_statements_do_not_depend_on_what_there_is():
    small, large = a_vendor(), a_vendor()
    for store, count in ((small, 1), (large, 6)):
        for _ in range(count):
            a_product(store)
            a_media(store)
            a_license(store)
        deleted(store)

    costs = []
    for store in (small, large):
        with working(Work(function="none", request_id="none")) as this:
            assert erased(store) is Erasure.WAITING
        costs.append(this.sql_statements)

    assert costs[0] == costs[1] > 0

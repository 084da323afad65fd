"""The local stack's marketplace: sound in every respect, with something of everything, and written once."""

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from infra.local.seed.__main__ import is_seeded, main
from infra.local.seed.people import ADMIN_EMAIL, PASSWORD
from shared.catalog.browse import BrowseQuery, browse
from shared.catalog.models import Category, Product, VendorPromo, Wishlist, WishlistItem
from shared.identity.models import Store, StoreMembership, User
from shared.identity.passwords import matches
from shared.identity.permissions import Role, StoreType, SystemRole
from shared.kit.db import read_only
from shared.kit.tables import Table
from shared.licensing.models import License, LicenseStatus
from shared.media.models import Media, MediaStatus
from shared.operations.invariants import check_all
from shared.orders.models import Order, OrderStatus
from shared.reviews.models import Review


@pytest.fixture
def marketplace(committed_database, object_storage, square):
    main()


def count(model, *conditions):
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(model).where(*conditions))


def row_counts():
    return {table.name: count(table) for table in Table.metadata.sorted_tables}


def test_the_marketplace_is_sound_complete_and_written_once(marketplace, capsys):
    assert [finding.name for finding in check_all() if not finding.holds] == []
    assert count(Store, Store.type == StoreType.VENDOR, Store.subscription_active) == 20
    assert count(Store, Store.type == StoreType.BUYER) == 30
    assert count(Product) == 1_100
    assert count(VendorPromo) == 11
    assert count(License, License.status == LicenseStatus.PENDING) == 2
    assert count(Media, Media.status != MediaStatus.UPLOADED) == 0
    assert count(Wishlist) == 29
    assert count(WishlistItem) > 60
    assert count(Review, Review.store_id.is_not(None)) > 3
    assert count(Review, Review.product_id.is_not(None)) > 3
    assert count(User, User.system_role == SystemRole.AGENT) == 3
    with read_only() as session:
        assert set(session.scalars(select(Order.status))) == set(OrderStatus)
        assert set(session.scalars(select(Review.rating))) == {2, 3, 4, 5}
        assert set(session.scalars(select(Product.category))) == set(Category)
        assert set(session.scalars(select(StoreMembership.role))) == set(Role)
        admin = session.scalars(select(User).where(User.email == ADMIN_EMAIL)).one()
        assert matches(admin.password_hash, SecretStr(PASSWORD))
        buyer = session.scalars(select(Store).where(Store.slug == "green-mesa-dispensary")).one()
        assert len(browse(session, buyer.id, BrowseQuery(q="blue dream")).items) > 5

    before = row_counts()
    capsys.readouterr()
    main()

    assert is_seeded()
    assert row_counts() == before
    said = capsys.readouterr().out
    assert "The marketplace is there already." in said
    assert PASSWORD in said

"""Where the flag asks for it, who has not verified their email may look, but not check out or sell."""

import pytest

from shared.identity.models import Store, StoreMembership, TokenPurpose, User
from shared.kit.db import read_only
from shared.operations.flags import Flag, Rule
from tests.api import Answer, Client
from tests.builders.flags import a_flag
from tests.builders.people import a_person
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_member, a_vendor
from tests.functions.auth.entering import log_in, mailed
from tests.security.catalogue import client_of


@pytest.fixture
def rosa() -> User:
    return a_person()


@pytest.fixture
def vendor(api, rosa) -> Client:
    """Rosa for her farm."""
    return client_of("products").with_token(signed_in(api, rosa, a_vendor()))


@pytest.fixture
def buyer(api, rosa) -> Client:
    """Rosa for her dispensary."""
    return client_of("checkout").with_token(signed_in(api, rosa, a_buyer()))


def signed_in(api: Client, person: User, store: Store) -> str:
    """The token of someone who owns the store."""
    a_member(store, user=person)
    return log_in(api, person, store).headers["X-PF-Token"]


def list_for_sale(vendor: Client) -> Answer:
    """Ask to, without saying what: 400 for whoever may."""
    return vendor.post("/api/v1/vendor/products", {})


def check_out(buyer: Client) -> Answer:
    return buyer.post("/api/v1/checkout", {})


def test_at_launch_nobody_is_asked(vendor, buyer):
    assert (list_for_sale(vendor).status, check_out(buyer).status) == (400, 400)


class TestWhenItIsRequired:
    @pytest.fixture(autouse=True)
    def _required(self):
        a_flag(Flag.REQUIRE_EMAIL_VERIFICATION)

    def test_nothing_can_be_sold(self, vendor, events):
        reply = list_for_sale(vendor)

        assert (reply.status, reply.error.code, reply.error.reason) == (403, "FORBIDDEN", "email_unverified")
        assert vendor.get("/api/v1/vendor/products").data == []
        assert events.emitted() == []

    def test_nothing_can_be_bought(self, buyer):
        reply = check_out(buyer)

        assert (reply.status, reply.error.reason) == (403, "email_unverified")

    def test_everything_can_be_looked_at_and_quoted(self, buyer):
        product = a_product()

        looked = client_of("products").with_token(buyer.token).get(f"/api/v1/products/{product.id}")
        quoted = client_of("cart").with_token(buyer.token).post("/api/v1/cart", {})

        assert (looked.status, quoted.status) == (200, 400)

    def test_whoever_verifies_it_goes_on_with_the_session_they_have(self, api, rosa, vendor):
        before = list_for_sale(vendor)

        verified = api.post("/verify-email", {"token": mailed(rosa, TokenPurpose.EMAIL_VERIFICATION)})

        assert (before.status, verified.status, list_for_sale(vendor).status) == (403, 204, 400)

    def test_it_may_be_required_of_some_stores_alone(self, rosa, vendor):
        with read_only() as session:
            [here] = session.query(StoreMembership.store_id).filter_by(user_id=rosa.id).one()
        a_flag(Flag.REQUIRE_EMAIL_VERIFICATION, Rule(store_ids=[a_vendor().id], enabled=True))
        elsewhere = list_for_sale(vendor).status
        a_flag(Flag.REQUIRE_EMAIL_VERIFICATION, Rule(store_ids=[here], enabled=True))

        assert (elsewhere, list_for_sale(vendor).status) == (400, 403)

    def test_who_has_verified_theirs_costs_nothing_more(self, api, statements):
        lee = a_person(email_verified_at="2026-03-02T15:00:00Z")
        vendor = client_of("products").with_token(signed_in(api, lee, a_vendor()))

        with statements() as counted:
            list_for_sale(vendor)

        assert counted.sql == 1  # the flags are read for the second factor, which Lee has not

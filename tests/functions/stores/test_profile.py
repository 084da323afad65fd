from datetime import UTC, datetime

import pytest

from shared.identity.models import MembershipStatus, Store, StoreMembership
from shared.identity.permissions import Role
from shared.kit.db import read_only, transaction
from shared.media.kinds import MediaKind
from tests.builders.media import a_media
from tests.builders.stores import a_buyer, a_member, a_user, a_vendor

CREATED = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def kept(store: Store) -> Store:
    with read_only() as session:
        return session.get(Store, store.id)


@pytest.mark.parametrize("role", Role)
def test_every_member_sees_the_whole_store(api, role):
    store = a_vendor(
        company_name="Red River Farms LLC",
        dba_name="Red River",
        slug="red-river",
        description="Small-batch flower.",
        phone="+14055550111",
        email="hello@redriver.example.com",
        delivery_radius_meters=80_000,
        line1="12 Mill Rd",
        rating_count=3,
        rating_sum=14,
        created_at=CREATED,
    )

    reply = api.as_member(store, role).get("/me")

    assert reply.status == 200
    assert reply.data == {
        "id": str(store.id),
        "type": "vendor",
        "name": "Red River",
        "company_name": "Red River Farms LLC",
        "dba_name": "Red River",
        "slug": "red-river",
        "description": "Small-batch flower.",
        "phone": "+14055550111",
        "email": "hello@redriver.example.com",
        "kyc_status": "verified",
        "suspended_reason": None,
        "subscription_active": True,
        "delivery_radius_meters": 80_000,
        "address": {
            "line1": "12 Mill Rd",
            "line2": None,
            "city": "Oklahoma City",
            "state": "OK",
            "postal_code": "73102",
            "country": "US",
            "lat": 35.4689,
            "lng": -97.5164,
        },
        "categories": [],
        "social_links": dict.fromkeys(("website", "instagram", "facebook", "x", "linkedin", "youtube")),
        "logo_media_id": None,
        "banner_media_id": None,
        "rating_count": 3,
        "rating_average": 4.67,
        "created_at": "2026-01-05T12:00:00Z",
    }


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_only_what_is_given_changes(api, method):
    store = a_vendor(company_name="Red River Farms LLC", description="Old words.", phone="+14055550111")

    reply = api.as_member(store, Role.MANAGER).send(
        method,
        "/me",
        body={
            "dba_name": "Red River",
            "description": "New words.",
            "phone": None,
            "delivery_radius_meters": 120_000,
            "categories": ["flower", "pre_roll"],
            "social_links": {"website": "https://redriver.example.com"},
        },
    )

    after = kept(store)
    assert reply.status == 200
    assert (reply.data["name"], reply.data["company_name"]) == ("Red River", "Red River Farms LLC")
    assert reply.data["social_links"]["website"] == "https://redriver.example.com"
    assert (after.dba_name, after.description, after.phone) == ("Red River", "New words.", None)
    assert (after.delivery_radius_meters, after.categories) == (120_000, ["flower", "pre_roll"])
    assert (after.slug, after.kyc_status, after.line1) == (store.slug, store.kyc_status, store.line1)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"company_name": None}, ["company_name"]),
        ({"delivery_radius_meters": -1}, ["delivery_radius_meters"]),
        ({"delivery_radius_meters": 1.5}, ["delivery_radius_meters"]),
        ({"categories": ["tobacco"]}, ["categories[0]"]),
        ({"social_links": {"website": "javascript:alert(1)"}}, ["social_links.website"]),
        ({"social_links": {"website": "http://redriver.example.com"}}, ["social_links.website"]),
        ({"social_links": {"myspace": "https://myspace.example.com"}}, ["social_links.myspace"]),
        ({"kyc_status": "verified"}, ["kyc_status"]),
        ({"subscription_active": True}, ["subscription_active"]),
        ({"line1": "13 Mill Rd"}, ["line1"]),
        ({"address": {"lat": 1}}, ["address"]),
        ({"slug": "best"}, ["slug"]),
        ({"type": "buyer"}, ["type"]),
    ],
)
def test_what_is_not_the_members_to_change_is_refused(api, body, wrong):
    store = a_vendor()

    reply = api.as_member(store).patch("/me", body)

    assert (reply.status, reply.error.code, reply.error.fields) == (400, "VALIDATION_ERROR", wrong)
    after = kept(store)
    assert (after.company_name, after.slug, after.categories, after.social_links) == (
        store.company_name,
        store.slug,
        [],
        {},
    )


def test_a_buyer_has_no_delivery_radius(api):
    store = a_buyer()

    reply = api.as_member(store).patch("/me", {"delivery_radius_meters": 5, "description": "Words."})

    assert (reply.status, reply.error.fields) == (400, ["delivery_radius_meters"])
    assert (kept(store).delivery_radius_meters, kept(store).description) == (0, None)


@pytest.mark.parametrize("role", [Role.OPS, Role.STAFF, Role.VIEWER])
def test_who_may_not_manage_may_not_change_the_store(api, role):
    store = a_vendor()

    replies = [api.as_member(store, role).send(method, "/me", body={"dba_name": "X"}) for method in ("PATCH", "PUT")]

    assert [(reply.status, reply.error.details) for reply in replies] == [(403, {"permission": "store:update"})] * 2
    assert kept(store).dba_name is None


def test_a_suspended_store_may_only_be_read(api):
    caller = api.as_member(a_vendor(), read_only=True)

    read, write = caller.get("/me"), caller.patch("/me", {"dba_name": "X"})

    assert read.status == 200
    assert (write.status, write.error.reason) == (403, "store_suspended")


def test_a_deleted_store_is_gone(api):
    store = a_buyer(deleted_at=CREATED)

    replies = [
        api.as_member(store).get("/me"),
        api.as_member(store).patch("/me", {"dba_name": "X"}),
        api.as_member(a_buyer()).get(f"/{store.id}"),
    ]

    assert [(reply.status, reply.error.code) for reply in replies] == [(404, "NOT_FOUND")] * 3


def test_my_stores_are_those_where_i_belong(api):
    rosa, stores = a_user(), [a_buyer(), a_vendor(), a_buyer(), a_buyer(deleted_at=CREATED)]
    for store, role in zip(stores, (Role.OWNER, Role.OPS, Role.OWNER, Role.OWNER), strict=True):
        a_member(store, role, rosa)
    a_member(a_buyer())
    with transaction() as session:
        session.query(StoreMembership).filter_by(store_id=stores[2].id).update({"status": MembershipStatus.REMOVED})
    caller = api.as_user(rosa)

    reply = caller.get("/my", include_total="true")
    first = caller.get("/my", limit="1")
    second = caller.get("/my", limit="1", cursor=first.page["next"])

    assert [(store["id"], store["role"]) for store in reply.data] == [
        (str(stores[1].id), "ops"),
        (str(stores[0].id), "owner"),
    ]
    assert (reply.json["total"], reply.page) == (2, {"limit": 25, "next": None, "prev": None})
    assert [*first.data, *second.data] == reply.data
    assert second.page["next"] is None


def test_others_see_what_is_public_and_no_more(api):
    logo = a_media(a_vendor(), MediaKind.STORE, status="ready", public_url="https://cdn.example.com/logo.webp")
    early = a_media(a_vendor(), MediaKind.STORE, public_url="https://cdn.example.com/banner.webp")
    store = a_vendor(
        logo_media_id=logo.id,
        banner_media_id=early.id,
        dba_name="Red River",
        slug="red-river",
        phone="+14055550111",
        email="hello@redriver.example.com",
        categories=["flower"],
        rating_count=2,
        rating_sum=9,
    )

    reply = api.as_member(a_buyer(), Role.VIEWER).get(f"/{store.id}")

    assert reply.status == 200
    assert reply.data == {
        "id": str(store.id),
        "type": "vendor",
        "name": "Red River",
        "slug": "red-river",
        "description": None,
        "logo_url": "https://cdn.example.com/logo.webp",
        "banner_url": None,
        "city": "Oklahoma City",
        "state": "OK",
        "categories": ["flower"],
        "social_links": dict.fromkeys(("website", "instagram", "facebook", "x", "linkedin", "youtube")),
        "rating_count": 2,
        "rating_average": 4.5,
    }


def test_reading_a_store_costs_one_statement(api, statements):
    store = a_vendor()

    with statements() as counted:
        api.as_member(store).get("/me")
        api.as_member(store).get(f"/{store.id}")
        api.as_user(a_user()).get("/my")

    assert (counted.requests, counted.sql, counted.redis) == (3, 3, 6)


@pytest.mark.parametrize("path", ["/me", "/my", "/01980000-0000-7000-8000-000000000001", "/me/users"])
def test_strangers_see_nothing(api, path):
    reply = api.get(path)

    assert (reply.status, reply.error.code) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("path", ["/me", "/me/users"])
def test_without_an_active_store_there_is_none_to_show(api, path):
    reply = api.as_user(a_user()).get(path)

    assert (reply.status, reply.error.reason) == (403, "no_active_store")


def test_a_store_that_does_not_exist_is_not_found(api):
    reply = api.as_user(a_user()).get("/01980000-0000-7000-8000-000000000001")

    assert (reply.status, reply.error.code) == (404, "NOT_FOUND")

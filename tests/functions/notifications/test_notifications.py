"""Reading notifications: one's own and nobody else's, with one statement, ticked off once."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from shared.identity.permissions import Role, SystemRole
from shared.kit.db import read_only
from shared.notifications.models import Notification
from shared.notifications.recipients import ADMINS, Recipient
from tests.builders.notifications import a_notification
from tests.builders.stores import a_buyer, a_user, a_vendor

NOON = datetime(2026, 3, 2, 18, tzinfo=UTC)


def ids(reply):
    return [told["id"] for told in reply.data]


def unread(reply):
    return reply.json["totals"]["unread_count"]


def read_at(notification):
    with read_only() as session:
        return session.scalar(select(Notification.read_at).where(Notification.id == notification.id))


def test_a_member_reads_what_the_store_was_told(api, freeze):
    freeze(NOON)
    vendor = a_vendor()
    told = a_notification(Recipient(store_id=vendor.id))

    reply = api.as_member(vendor, Role.VIEWER).get()

    assert reply.status == 200
    assert reply.json == {
        "data": [
            {
                "id": str(told.id),
                "type": "order_alert",
                "title": "New order",
                "message": "A dispensary placed an order with you.",
                "link": "/vendor/orders/1",
                "read_at": None,
                "created_at": "2026-03-02T18:00:00Z",
            }
        ],
        "page": {"limit": 25, "next": None, "prev": None},
        "totals": {"unread_count": 1},
    }


def test_everybody_reads_their_own_and_nobody_elses(api):
    vendor, buyer = a_vendor(), a_buyer()
    agent, admin = a_user(system_role=SystemRole.AGENT), a_user(system_role=SystemRole.ADMIN)
    other = a_user(system_role=SystemRole.AGENT)
    to_vendor, to_buyer, to_agent, to_admins, to_other = (
        str(a_notification(recipient).id)
        for recipient in (
            Recipient(store_id=vendor.id),
            Recipient(store_id=buyer.id),
            Recipient(user_id=agent.id),
            ADMINS,
            Recipient(user_id=other.id),
        )
    )

    assert ids(api.as_member(vendor).get()) == [to_vendor]
    assert ids(api.as_member(buyer).get()) == [to_buyer]
    assert ids(api.as_agent(agent).get()) == [to_agent]
    assert ids(api.as_agent(other).get()) == [to_other]
    assert ids(api.as_admin(admin).get()) == [to_admins]
    assert ids(api.as_member(a_vendor()).get()) == []
    assert ids(api.as_user(a_user()).get()) == []


def test_a_member_also_reads_what_only_they_were_told(api):
    vendor, person = a_vendor(), a_user()
    to_store = a_notification(Recipient(store_id=vendor.id), age=timedelta(minutes=1))
    to_person = a_notification(Recipient(user_id=person.id))

    reply = api.as_member(vendor, user_id=person.id).get()

    assert (ids(reply), unread(reply)) == ([str(to_person.id), str(to_store.id)], 2)


@pytest.mark.parametrize("many", [0, 3, 30])
def test_the_list_with_its_counts_is_one_statement(api, statements, many):
    vendor = a_vendor()
    for _ in range(many):
        a_notification(Recipient(store_id=vendor.id))
    caller = api.as_member(vendor)

    with statements() as counted:
        reply = caller.get(limit=10, include_total="true")

    assert (counted.requests, counted.sql) == (1, 1)
    assert (len(reply.data), unread(reply), reply.json["total"]) == (min(many, 10), many, many)


def test_pages_follow_each_other_in_both_directions_newest_first(api):
    vendor = a_vendor()
    told = [str(a_notification(Recipient(store_id=vendor.id), age=timedelta(minutes=n // 2)).id) for n in range(5)]
    caller = api.as_member(vendor)

    first = caller.get(limit=2)
    second = caller.get(limit=2, cursor=first.page["next"])
    third = caller.get(limit=2, cursor=second.page["next"])
    back = caller.get(limit=2, cursor=third.page["prev"])

    assert ids(first) + ids(second) + ids(third) == [told[1], told[0], told[3], told[2], told[4]]
    assert ids(back) == ids(second)
    assert third.page["next"] is None
    assert {unread(reply) for reply in (first, second, third, back)} == {5}


def test_a_cursor_belongs_to_its_filter(api):
    vendor = a_vendor()
    for _ in range(2):
        a_notification(Recipient(store_id=vendor.id))
    caller = api.as_member(vendor)
    cursor = caller.get(limit=1).page["next"]

    reply = caller.get(limit=1, cursor=cursor, unread="true")

    assert (reply.status, reply.error.fields) == (400, ["cursor"])


def test_unread_ones_can_be_asked_for_and_the_count_says_how_many(api):
    vendor = a_vendor()
    old, new = (a_notification(Recipient(store_id=vendor.id), age=timedelta(minutes=n)) for n in (1, 0))
    caller = api.as_member(vendor)
    caller.post(f"/{old.id}/read", key=None)

    replies = {flag: caller.get(**({"unread": flag} if flag else {})) for flag in ("true", "false", None)}

    assert ids(replies["true"]) == [str(new.id)]
    assert ids(replies["false"]) == [str(old.id)]
    assert ids(replies[None]) == [str(new.id), str(old.id)]
    assert [unread(reply) for reply in replies.values()] == [1, 1, 1]


def test_an_empty_page_still_says_how_many_are_unread(api):
    vendor = a_vendor()
    a_notification(Recipient(store_id=vendor.id))

    reply = api.as_member(vendor).get(unread="false")

    assert (ids(reply), unread(reply)) == ([], 1)


def test_reading_twice_keeps_the_first_moment(api, freeze):
    freeze(NOON)
    vendor = a_vendor()
    told = a_notification(Recipient(store_id=vendor.id))
    caller = api.as_member(vendor)

    first = caller.post(f"/{told.id}/read", key=None)
    freeze(NOON + timedelta(minutes=10))
    again = caller.post(f"/{told.id}/read", key=None)

    assert (first.status, again.status) == (200, 200)
    assert first.data["read_at"] == again.data["read_at"] == "2026-03-02T18:00:00Z"
    assert read_at(told) == NOON


def test_what_somebody_else_was_told_cannot_be_read(api):
    told = a_notification(Recipient(store_id=a_vendor().id))
    strangers = [api.as_member(a_vendor()), api.as_agent(), api.as_admin(), api.as_user(a_user())]

    theirs = [caller.post(f"/{told.id}/read", key=None) for caller in strangers]
    nobodys = [caller.post(f"/{uuid4()}/read", key=None) for caller in strangers]

    assert [(reply.status, reply.error.code) for reply in theirs + nobodys] == [(404, "NOT_FOUND")] * 8
    assert read_at(told) is None


def test_all_of_ones_own_are_read_at_once(api, statements):
    vendor, other = a_vendor(), a_vendor()
    for _ in range(3):
        a_notification(Recipient(store_id=vendor.id))
    theirs = a_notification(Recipient(store_id=other.id))
    caller = api.as_member(vendor)

    with statements() as counted:
        first = caller.post("/read-all", key=None)
    again = caller.post("/read-all", key=None)

    assert counted.sql == 1
    assert (first.status, first.data, again.data) == (200, {"updated": 3}, {"updated": 0})
    assert unread(caller.get()) == 0
    assert read_at(theirs) is None


def test_without_signing_in_nothing_is_told(api):
    replies = [api.get(), api.post(f"/{uuid4()}/read", key=None), api.post("/read-all", key=None)]

    assert [(reply.status, reply.error.code) for reply in replies] == [(401, "UNAUTHORIZED")] * 3


def test_an_unknown_parameter_is_refused(api):
    assert api.as_member(a_vendor()).get(color="red").error.fields == ["color"]

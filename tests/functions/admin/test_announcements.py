"""Announcements: to the stores concerned and to no other, once each, even when it broke off half way."""

import pytest
from sqlalchemy import select, text

from shared.identity.permissions import StoreType
from shared.kit import clock
from shared.kit.db import read_only, transaction
from shared.notifications import announcing
from shared.notifications.models import EmailDelivery, Notification, NotificationType
from tests.builders.stores import a_buyer, a_member, a_vendor
from tests.events import audited

SYSTEM = NotificationType.SYSTEM_ANNOUNCEMENT
MAINTENANCE = {"title": "Maintenance on Sunday", "message": "Orders rest from 2 to 3 in the morning."}


@pytest.fixture
def admin(api):
    return api.under("/api/v1/admin/announcements").as_admin()


def notifications() -> list[Notification]:
    with read_only() as session:
        return list(session.scalars(select(Notification).order_by(Notification.recipient_store_id)))


def told() -> list:
    return [note.recipient_store_id for note in notifications()]


def test_every_store_is_told_without_mail(admin):
    buyer, vendor = a_buyer(), a_vendor()
    a_member(vendor)
    a_vendor(deleted_at=clock.now())

    reply = admin.post("", MAINTENANCE)

    assert (reply.status, reply.data["stores"]) == (201, 2)
    assert [
        (str(note.event_id), note.recipient_store_id, note.type, note.title, note.message, note.link, note.read_at)
        for note in notifications()
    ] == [
        (
            reply.data["id"],
            store.id,
            NotificationType.SYSTEM_ANNOUNCEMENT,
            *MAINTENANCE.values(),
            "/notifications",
            None,
        )
        for store in sorted((buyer, vendor), key=lambda store: store.id)
    ]
    with read_only() as session:
        assert session.scalars(select(EmailDelivery)).all() == []


@pytest.mark.parametrize(
    ("audience", "concerned"),
    [
        ({"store_type": "vendor"}, ["vendor OK", "vendor TX"]),
        ({"store_type": "buyer"}, ["buyer OK", "buyer TX"]),
        ({"states": ["TX"]}, ["buyer TX", "vendor TX"]),
        ({"states": ["OK", "TX"], "store_type": "buyer"}, ["buyer OK", "buyer TX"]),
        ({"states": ["NM"]}, []),
    ],
)
def test_the_audience_is_chosen_by_type_and_state(admin, audience, concerned):
    stores = {
        f"{kind} {state}": make(state=state)
        for kind, make in ((StoreType.BUYER, a_buyer), (StoreType.VENDOR, a_vendor))
        for state in ("OK", "TX")
    }

    reply = admin.post("", {**MAINTENANCE, **audience})

    assert reply.data["stores"] == len(concerned)
    assert sorted(told()) == sorted(stores[name].id for name in concerned)


def test_it_is_audited_and_announces_no_event(admin, events):
    reply = admin.post("", {**MAINTENANCE, "type": "market_update", "states": ["TX", "OK"], "store_type": "vendor"})

    ((action, target, after),) = audited()
    assert (action, str(target)) == ("announcement.sent", reply.data["id"])
    assert after == {
        "type": "market_update",
        "title": "Maintenance on Sunday",
        "store_type": "vendor",
        "states": ["OK", "TX"],
    }
    assert events.emitted() == []


@pytest.mark.parametrize("many", [5, 6, 7])
def test_batches_reach_everybody_by_two_statements_each(admin, statements, monkeypatch, many):
    monkeypatch.setattr(announcing, "BATCH", 3)
    stores = [a_vendor() for _ in range(many)]

    with statements() as counted:
        reply = admin.post("", MAINTENANCE)

    batches = many // 3 + 1
    is_last_empty = many % 3 == 0
    assert reply.data["stores"] == many
    assert sorted(told()) == sorted(store.id for store in stores)
    assert counted.sql == 1 + 2 * batches - is_last_empty


def test_the_same_request_again_tells_nobody_again(admin):
    a_vendor()

    first, again = (admin.post("", MAINTENANCE, key="sunday") for _ in range(2))

    assert (first.status, again.status, first.raw == again.raw) == (201, 201, True)
    assert len(told()) == 1


def test_what_broke_off_is_continued_by_the_same_request(admin, monkeypatch):
    monkeypatch.setattr(announcing, "BATCH", 2)
    stores = [a_vendor() for _ in range(5)]
    with transaction() as session:
        session.execute(
            text(
                "CREATE FUNCTION refuse_last() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" IF NEW.recipient_store_id = '{stores[3].id}' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW;"
                " END $$; CREATE TRIGGER refuse_last BEFORE INSERT ON notifications"
                " FOR EACH ROW EXECUTE FUNCTION refuse_last()"
            )
        )

    broken = admin.post("", MAINTENANCE, key="sunday")
    between = told()
    with transaction() as session:
        session.execute(text("DROP TRIGGER refuse_last ON notifications"))
    whole = admin.post("", MAINTENANCE, key="sunday")

    assert (broken.status, whole.status) == (500, 201)
    assert between == [store.id for store in stores[:2]]
    assert told() == [store.id for store in stores]
    assert {str(note.event_id) for note in notifications()} == {whole.data["id"]}
    assert whole.data["stores"] == 5


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"message": ""}, "message"),
        ({"message": "x" * 2_001}, "message"),
        ({"type": "security_alert"}, "type"),
        ({"link": "https://elsewhere.example.com"}, "link"),
        ({"link": "//elsewhere.example.com"}, "link"),
        ({"store_type": "driver"}, "store_type"),
        ({"states": ["Oklahoma"]}, "states[0]"),
    ],
)
def test_an_odd_announcement_is_refused(admin, wrong, field):
    a_vendor()

    reply = admin.post("", {**MAINTENANCE, **wrong})

    assert (reply.status, reply.error.fields) == (400, [field])
    assert (told(), audited()) == ([], [])


def test_only_admins_announce(admin):
    vendor = a_vendor()

    replies = [caller.post("", MAINTENANCE) for caller in (admin.as_member(vendor), admin.as_agent())]

    assert [(reply.status, reply.error.code) for reply in replies] == [(403, "FORBIDDEN")] * 2
    assert told() == []

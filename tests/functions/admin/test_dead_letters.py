"""Dead letters: found, replayed under the same event id, dismissed; each settled once."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from shared.events.catalogue import CATALOGUE
from shared.events.orders import OrderNudged
from shared.identity.permissions import Role
from shared.kit.consumer import Consumer
from shared.kit.db import transaction
from shared.kit.publishing import Publisher, PublishingSettings
from tests.builders.dead_letters import (
    a_dead_letter,
    a_message,
    a_published_event,
    event_in,
    forwarded,
    letter_now,
)
from tests.builders.outbox import a_nudge, damage, dead_letters, emitted, outbox_row, waiting
from tests.builders.stores import a_user, a_vendor
from tests.events import audited
from tests.topics import RecordingTopics

MONDAY = datetime(2026, 7, 6, 15, 0, tzinfo=UTC)


@pytest.fixture
def admin(api):
    return api.under("/api/v1/admin/dead-letters").as_admin()


def outbox_without(event_id):
    """Retention was here."""
    with transaction() as session:
        session.execute(text("DELETE FROM outbox_events WHERE id = :id"), {"id": event_id})


def publish(topics):
    Publisher(topics, CATALOGUE, PublishingSettings()).publish_batch()


def ids(reply):
    return [letter["id"] for letter in reply.data]


def test_open_letters_are_listed_newest_first_by_pages(admin, statements):
    letters = []
    for minute in range(3):
        letters.append(str(a_dead_letter(at=MONDAY + timedelta(minutes=minute)).id))

    with statements() as counted:
        first = admin.get(limit=2)
    second = admin.get(limit=2, cursor=first.page["next"])

    assert (ids(first), ids(second), second.page["next"]) == (letters[:0:-1], letters[:1], None)
    assert counted.sql == 1
    assert first.data[0] == {
        "id": letters[2],
        "state": "open",
        "source": "consumer",
        "subscription": "on_event_notify",
        "event_id": str(letter_now(letters[2]).event_id),
        "event_type": "order_nudged",
        "attempts": 10,
        "reason": "on_event_notify failed on it 10 times",
        "created_at": "2026-07-06T15:02:00Z",
        "replayed_at": None,
        "dismissed_at": None,
        "dismissed_reason": None,
    }


def test_each_filter_narrows_the_list(admin):
    mail = a_dead_letter(at=MONDAY)
    figures = a_dead_letter(subscription="on_event_analytics", at=MONDAY + timedelta(hours=1))
    admin.post(f"/{figures.id}/dismiss", {"reason": "known"})
    both = [str(figures.id), str(mail.id)]

    everything = {"state": "open,dismissed"}
    assert ids(admin.get(**everything)) == both
    assert ids(admin.get()) == ids(admin.get(state="open")) == both[1:]
    assert ids(admin.get(state="dismissed")) == both[:1]
    assert ids(admin.get(state="replayed")) == []
    assert ids(admin.get(**everything, subscription="on_event_analytics")) == both[:1]
    assert ids(admin.get(**everything, event_id=str(mail.event_id))) == both[1:]
    assert ids(admin.get(**everything, event_type="order_nudged")) == both
    assert ids(admin.get(**everything, source="outbox")) == []
    assert ids(admin.get(**everything, created_from="2026-07-06T15:30:00Z")) == both[:1]
    assert ids(admin.get(**everything, created_to="2026-07-06T15:30:00Z")) == both[1:]
    assert admin.get(state="lost").status == 400


def test_a_letter_is_shown_with_its_message_and_the_event_in_it(admin):
    letter = a_dead_letter()

    shown = admin.get(f"/{letter.id}").data

    assert shown["message"] == letter.message
    assert shown["event"] == event_in(letter.message)
    assert admin.get(f"/{uuid4()}").status == 404


def test_a_letter_that_cannot_be_read_is_shown_as_it_is(admin):
    letter = a_dead_letter(message={"data": "%%%", "messageId": "1"})

    shown = admin.get(f"/{letter.id}").data

    assert (shown["event"], shown["message"]) == (None, {"data": "%%%", "messageId": "1"})


def test_only_the_consumer_that_failed_does_a_replayed_event(admin, api):
    done = []
    is_broken = True
    mail, figures = Consumer("on_event_notify"), Consumer("on_event_analytics")

    @mail.on(OrderNudged)
    def send(_, event):
        if is_broken:
            raise ConnectionError
        done.append(("mail", event.order_id))

    @figures.on(OrderNudged)
    def count(_, event):
        done.append(("figures", event.order_id))

    event = a_nudge()
    [event_id] = emitted(event)
    topics = RecordingTopics()
    publish(topics)
    delivery = {"message": a_message(event_id)}
    assert [figures.deliver(delivery), mail.deliver(delivery)] == [True, False]
    from functions.on_dead_letter.main import main

    main.consumer.deliver(forwarded(delivery["message"]))
    [letter] = dead_letters()

    is_broken = False
    reply = admin.post(f"/{letter.id}/replay")
    publish(topics)
    [first, second] = [sent for sent in topics.sent if sent.event_id == event_id]
    again = {"message": a_message(event_id)}
    answers = [figures.deliver(again), mail.deliver(again), mail.deliver(again)]

    assert (reply.status, reply.data["state"]) == (200, "replayed")
    assert first == second
    assert answers == [True, True, True]
    assert done == [("figures", event.order_id), ("mail", event.order_id)]


def test_a_replay_is_audited_and_happens_once(admin):
    letter = a_dead_letter()

    first = admin.post(f"/{letter.id}/replay", key="one")
    assert waiting() == [letter.event_id]
    publish(RecordingTopics())
    second = admin.post(f"/{letter.id}/replay", key="two")

    assert (first.status, second.status) == (200, 200)
    assert first.data == second.data
    assert waiting() == []
    assert audited() == [
        (
            "dead_letter.replayed",
            letter.id,
            {
                "source": "consumer",
                "subscription": "on_event_notify",
                "event_id": str(letter.event_id),
                "event_type": "order_nudged",
            },
        )
    ]


def test_an_event_that_died_in_the_outbox_is_due_again(admin):
    [event_id] = emitted(a_nudge())
    damage(event_id, version="9")
    publish(RecordingTopics())
    [letter] = dead_letters()
    damage(event_id, version="1")
    topics = RecordingTopics()

    reply = admin.post(f"/{letter.id}/replay")
    publish(topics)

    assert reply.status == 200
    row = outbox_row(event_id)
    assert (topics.ids("order_nudged"), row.attempts, row.dead_at) == ([event_id], 1, None)


def test_a_replayed_event_that_fails_again_is_an_open_letter_again(admin):
    letter = a_dead_letter()
    admin.post(f"/{letter.id}/replay")
    from functions.on_dead_letter.main import main

    main.consumer.deliver(forwarded(letter.message))
    after_the_old_message = admin.get(f"/{letter.id}").data["state"]
    main.consumer.deliver(forwarded(a_message(letter.event_id), deliveries=7))

    [kept] = dead_letters()
    assert after_the_old_message == "replayed"
    assert (kept.id, kept.replayed_at, kept.attempts) == (letter.id, None, 7)


def test_an_event_that_retention_removed_goes_out_from_the_letter(admin):
    event_id = a_published_event()
    before = outbox_row(event_id)
    letter = a_dead_letter(event_id)
    outbox_without(event_id)
    topics = RecordingTopics()

    reply = admin.post(f"/{letter.id}/replay")
    publish(topics)

    after = outbox_row(event_id)
    same = ("event_type", "version", "aggregate_type", "aggregate_id", "sequence", "payload", "actor", "occurred_at")
    assert reply.status == 200
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert topics.ids() == [event_id]


@pytest.mark.parametrize("data", ["%%%", "bm90IEpTT04=", "e30="])
def test_a_letter_without_an_event_cannot_be_replayed(admin, data):
    letter = a_dead_letter(message={"data": data, "messageId": "1", "attributes": {"event_id": str(uuid4())}})

    reply = admin.post(f"/{letter.id}/replay")

    assert (reply.status, reply.error.reason) == (422, "nothing_to_replay")
    assert (letter_now(letter.id).replayed_at, waiting(), audited()) == (None, [], [])


def test_a_letter_does_not_send_another_event_than_the_one_it_is_about(admin):
    event_id = a_published_event()
    letter = a_dead_letter(message=a_message(event_id, event_id=str(uuid4())))

    reply = admin.post(f"/{letter.id}/replay")

    assert (reply.status, reply.error.reason) == (422, "nothing_to_replay")
    assert waiting() == []


def test_letters_are_replayed_by_filter_up_to_a_bound_oldest_first(admin, statements):
    letters = []
    for minute in range(4):
        letters.append(a_dead_letter(at=MONDAY + timedelta(minutes=minute)))
    other = a_dead_letter(subscription="on_event_analytics")
    outbox_without(letters[0].event_id)

    with statements() as counted:
        reply = admin.post("/replay", {"subscription": "on_event_notify", "limit": 3})

    assert (reply.status, reply.data) == (200, {"replayed": 3, "unreplayable": [], "left": 1})
    assert sorted(waiting()) == sorted(letter.event_id for letter in letters[:3])
    assert [letter_now(letter.id).replayed_at is None for letter in (*letters, other)] == [False] * 3 + [True] * 2
    assert {target for _, target, _ in audited("dead_letter.replayed")} == {letter.id for letter in letters[:3]}
    assert counted.sql == 8


def test_a_replay_by_filter_says_what_it_could_not_do(admin):
    odd = a_dead_letter(message={"data": "%%%", "messageId": "1"})
    good = a_dead_letter()

    reply = admin.post("/replay", {})

    assert reply.data == {
        "replayed": 1,
        "unreplayable": [{"id": str(odd.id), "reason": "on_event_notify failed on it 10 times"}],
        "left": 1,
    }
    assert waiting() == [good.event_id]
    assert admin.post("/replay", {"limit": 501}).status == 400


def test_a_dismissed_letter_rests_with_its_first_reason(admin):
    letter = a_dead_letter()

    first = admin.post(f"/{letter.id}/dismiss", {"reason": "The order was canceled by hand."})
    second = admin.post(f"/{letter.id}/dismiss", {"reason": "Another reason"})
    replayed = admin.post(f"/{letter.id}/replay")

    assert (first.status, second.status) == (200, 200)
    assert second.data == first.data
    assert (first.data["state"], first.data["dismissed_reason"]) == ("dismissed", "The order was canceled by hand.")
    assert (replayed.status, replayed.error.reason) == (422, "letter_dismissed")
    assert waiting() == []
    assert [(action, after["reason"]) for action, _, after in audited()] == [
        ("dead_letter.dismissed", "The order was canceled by hand.")
    ]


def test_a_replayed_letter_is_not_dismissed(admin):
    letter = a_dead_letter()
    admin.post(f"/{letter.id}/replay")

    reply = admin.post(f"/{letter.id}/dismiss", {"reason": "too late"})

    assert (reply.status, reply.error.reason) == (422, "letter_replayed")
    assert letter_now(letter.id).dismissed_at is None


@pytest.mark.parametrize("action", ["replay", "dismiss"])
def test_what_is_not_there_is_not_settled(admin, action):
    assert admin.post(f"/{uuid4()}/{action}", {"reason": "gone"} if action == "dismiss" else None).status == 404


def test_only_admins_may(api):
    letter = a_dead_letter()
    api = api.under("/api/v1/admin/dead-letters")

    for caller in (api.as_agent(), api.as_user(a_user()), api.as_member(a_vendor(), Role.OWNER)):
        assert caller.get().status == 403
        assert caller.post(f"/{letter.id}/replay").status == 403
    assert api.get().status == 401
    assert letter_now(letter.id).replayed_at is None

"""What is past its time goes, in batches; what is not, or is needed still, stays."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.identity import one_time_tokens
from shared.identity.models import TokenPurpose
from shared.kit import clock, stopping
from shared.kit.context import Work, working
from shared.kit.db import read_only, transaction
from shared.kit.ids import new_id
from shared.notifications.models import DeliveryStatus, EmailDelivery, NotificationType
from shared.notifications.recipients import Recipient
from shared.operations import retention
from shared.operations.replay import dismiss, replay
from shared.operations.retention import RetentionSettings, delete_expired
from tests.builders.dead_letters import a_dead_letter, a_published_event
from tests.builders.notifications import a_notification
from tests.builders.outbox import a_nudge, damage, dead_letters, emitted
from tests.builders.stores import a_buyer, a_user
from tests.jobs import fire_job

NOTHING = {
    "outbox_events": 0,
    "notifications": 0,
    "processed_events": 0,
    "email_deliveries": 0,
    "outbox_dlq": 0,
    "one_time_tokens": 0,
}
NO_STORES = {f"stores_{outcome}": 0 for outcome in ("deleted", "anonymised", "waiting", "skipped", "failed")}
MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)


@pytest.fixture
def fire():
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.cron_retention.main import main

    return lambda: fire_job(main)


@pytest.fixture
def in_twos(monkeypatch):
    monkeypatch.setenv("PF_RETENTION_BATCH_SIZE", "2")
    monkeypatch.setenv("PF_RETENTION_PAUSE_S", "0")
    RetentionSettings.forget()
    yield
    RetentionSettings.forget()


@pytest.fixture
def now(freeze):
    moment = clock.now()
    freeze(moment)
    return moment


def ids_in(table, key="id"):
    with read_only() as session:
        return list(session.scalars(text(f"SELECT {key} FROM {table} ORDER BY {key}")))  # noqa: S608 - a test's word


def a_mark(event_id: UUID | None = None) -> UUID:
    event_id = event_id or new_id()
    with transaction() as session:
        mark = text("INSERT INTO processed_events (consumer, event_id, processed_at) VALUES ('on_event', :id, :at)")
        session.execute(mark, {"id": event_id, "at": clock.now()})
    return event_id


def a_mail() -> UUID:
    told = {"category": NotificationType.SECURITY_ALERT, "template": "security_alert", "words": {}, "attempts": 1}
    mail = EmailDelivery(
        id=new_id(), event_id=new_id(), user_id=a_user().id, status=DeliveryStatus.SENT, due_at=clock.now(), **told
    )
    mail.created_at = clock.now()
    with transaction() as session:
        session.add(mail)
    return mail.id


def published(at) -> UUID:
    event_id = a_published_event()
    damage(event_id, published_at=f"'{at.isoformat()}'")
    return event_id


def test_published_events_go_after_thirty_days(fire, now, freeze):
    published(now - MOMENT)
    kept = published(now)

    freeze(now + 30 * DAY)

    assert fire() == NO_STORES | NOTHING | {"outbox_events": 1}
    assert ids_in("outbox_events") == [kept]


def test_events_that_wait_or_are_dead_stay_however_old(fire, now, freeze):
    waiting, dead = emitted(a_nudge(), a_nudge())
    damage(dead, dead_at="clock_timestamp()")

    freeze(now + 900 * DAY)

    assert fire() == NO_STORES | NOTHING
    assert set(ids_in("outbox_events")) == {waiting, dead}


def test_notifications_go_after_thirty_days(fire, now, freeze):
    recipient = Recipient(store_id=a_buyer().id)
    a_notification(recipient, age=MOMENT)
    kept = a_notification(recipient)

    freeze(now + 30 * DAY)

    assert fire() == NO_STORES | NOTHING | {"notifications": 1}
    assert ids_in("notifications") == [kept.id]


def test_marks_go_after_sixty_days(fire, now, freeze):
    a_mark()
    freeze(now + MOMENT)
    kept = a_mark()

    freeze(now + MOMENT + 60 * DAY)

    assert fire() == NO_STORES | NOTHING | {"processed_events": 1}
    assert ids_in("processed_events", "event_id") == [kept]


def test_marks_of_an_event_that_may_be_replayed_stay_until_its_letter_is_dismissed(fire, now, freeze):
    letter = a_dead_letter()
    a_mark(letter.event_id)
    freeze(now + 90 * DAY)

    first = fire()
    with transaction() as session:
        dismiss(session, letter.id, "known")
    second = fire()

    assert (first["processed_events"], second["processed_events"]) == (0, 1)
    assert [kept.id for kept in dead_letters()] == [letter.id]


def test_dead_letters_stay_until_sixty_days_after_they_were_settled(fire, now, freeze):
    open_letter, replayed, dismissed, settled_later = (a_dead_letter() for _ in range(4))
    with transaction() as session:
        replay(session, replayed.id)
        dismiss(session, dismissed.id, "known")
    freeze(now + MOMENT)
    with transaction() as session:
        dismiss(session, settled_later.id, "known")

    freeze(now + MOMENT + 60 * DAY)
    done = fire()

    assert done["outbox_dlq"] == 2
    assert set(ids_in("outbox_dlq")) == {open_letter.id, settled_later.id}


def test_mail_goes_after_sixty_days(fire, now, freeze):
    a_mail()
    freeze(now + MOMENT)
    kept = a_mail()

    freeze(now + MOMENT + 60 * DAY)

    assert fire() == NO_STORES | NOTHING | {"email_deliveries": 1}
    assert ids_in("email_deliveries") == [kept]


def test_mailed_tokens_go_when_they_are_good_no_more(fire, now, freeze):
    user_id = a_user().id
    with transaction() as session:
        for purpose in TokenPurpose:
            one_time_tokens.issue(session, user_id, purpose)

    freeze(now + timedelta(minutes=30))
    at_thirty_minutes = fire()["one_time_tokens"]
    freeze(now + timedelta(minutes=30) + MOMENT)
    after_thirty_minutes = fire()["one_time_tokens"]
    freeze(now + DAY + MOMENT)
    after_a_day = fire()["one_time_tokens"]
    freeze(now + 7 * DAY + MOMENT)
    after_a_week = fire()["one_time_tokens"]

    assert (at_thirty_minutes, after_thirty_minutes, after_a_day, after_a_week) == (0, 1, 1, 1)


@pytest.mark.parametrize(("marks", "batches"), [(0, 1), (1, 1), (2, 2), (5, 3)])
def test_a_batch_is_one_statement_however_many_rows(in_twos, now, freeze, marks, batches):
    for _ in range(marks):
        a_mark()
    freeze(now + 61 * DAY)

    with working(Work(function="test", request_id="request-1")) as this:
        done = delete_expired()

    assert done == NOTHING | {"processed_events": marks}
    assert this.sql_statements == len(retention.RULES) - 1 + batches


def test_batches_are_of_five_thousand_with_a_pause_unless_set_otherwise():
    settings = RetentionSettings()

    assert settings.retention_batch_size == 5_000
    assert settings.retention_pause_s > 0


def test_it_pauses_between_batches_and_stops_when_asked(in_twos, now, freeze, monkeypatch):
    for _ in range(5):
        a_mark()
    freeze(now + 61 * DAY)
    pauses = []

    def stop_at_the_second(seconds):
        pauses.append(seconds)
        monkeypatch.setattr(stopping, "_asked", len(pauses) == 2)

    monkeypatch.setattr(stopping, "wait", stop_at_the_second)

    assert delete_expired() == NOTHING | {"processed_events": 4}
    assert pauses == [0, 0]
    assert len(ids_in("processed_events", "event_id")) == 1

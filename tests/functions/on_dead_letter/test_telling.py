"""Admins hear of a dead letter, in the application and by mail, and of nothing that is in it."""

from typing import Any

import pytest
from sqlalchemy import select

from infra.local.mailbox import StandIn
from shared.identity.permissions import SystemRole
from shared.kit.db import read_only
from shared.kit.outbox import OutboxEvent
from shared.notifications.models import Notification
from tests.builders.dead_letters import a_message, a_published_event, forwarded
from tests.builders.outbox import dead_letters, waiting
from tests.builders.stores import a_user
from tests.deliveries import delivery_of
from tests.mail import fresh_sendgrid, sendgrid_server  # noqa: F401 - fixtures


@pytest.fixture
def keep() -> Any:
    from functions.on_dead_letter.main import main

    return main.consumer.deliver


@pytest.fixture
def notify(sendgrid: StandIn) -> Any:
    from functions.on_event_notify.main import main

    return main.consumer.deliver


def announcements() -> list[dict[str, Any]]:
    """The announcements that wait, as Pub/Sub will bring them."""
    with read_only() as session:
        return [delivery_of(session.get_one(OutboxEvent, event_id)) for event_id in waiting()]


def test_every_admin_is_told_and_mailed_once_whatever_comes_twice(keep, notify, sendgrid):
    admins = [a_user(system_role=SystemRole.ADMIN) for _ in range(2)]
    a_user(system_role=SystemRole.AGENT)
    letter = forwarded(a_message(a_published_event()), "on_order_ready", deliveries=10)

    keep(letter)
    keep(letter)
    (announcement,) = announcements()
    acknowledged = [notify(announcement), notify(announcement)]

    (kept,) = dead_letters()
    with read_only() as session:
        (told,) = session.scalars(select(Notification))
    assert acknowledged == [True, True]
    assert (told.recipient_role, told.link) == (SystemRole.ADMIN, f"/admin/dead-letters/{kept.id}")
    assert told.title == "Dead letter: order nudged"
    assert told.message == (
        "Given up by on order ready; attempts: 10. Letters of this kind since we last told of them: 1."
    )
    assert sorted(mail.to for mail in sendgrid.mails) == sorted(
        f"{admin.first_name} {admin.last_name} <{admin.email}>" for admin in admins
    )
    assert {mail.subject for mail in sendgrid.mails} == {"Dead letter: order nudged"}
    assert (
        "Event: order nudged\nGiven up by: on order ready\nAttempts: 10\nLetters since we last told: 1\n"
        in sendgrid.mails[0].text
    )


def test_when_telling_fails_for_good_there_is_a_letter_and_no_further_announcement(keep, notify, sendgrid):
    a_user(system_role=SystemRole.ADMIN)
    sendgrid.fail(times=100)
    keep(forwarded(a_message(a_published_event())))
    (announcement,) = announcements()

    refused = [notify(announcement) for _ in range(10)]
    keep(forwarded(announcement["message"] | {"messageId": "4714"}))

    assert refused == [False] * 10
    assert [letter.event_type for letter in dead_letters()] == ["order_nudged", "dead_letter_kept"]
    assert len(waiting()) == 1

"""Two admins at the same letter: one of them settles it, both learn how."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.builders.dead_letters import a_dead_letter, letter_now
from tests.builders.outbox import waiting
from tests.events import audited
from tests.rivals import beside

pytestmark = pytest.mark.usefixtures("committed_database")


@pytest.fixture
def admins(api):
    admin = api.under("/api/v1/admin/dead-letters").as_admin()
    return [beside(admin) for _ in range(4)]


def at_once(*calls):
    barrier = Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_a_letter_that_four_replay_is_replayed_once(admins):
    letter = a_dead_letter()

    replies = at_once(*(lambda admin=admin: admin.post(f"/{letter.id}/replay") for admin in admins))

    assert [reply.status for reply in replies] == [200] * 4
    assert len({reply.raw for reply in replies}) == 1
    assert [(action, target) for action, target, _ in audited()] == [("dead_letter.replayed", letter.id)]
    assert waiting() == [letter.event_id]


def test_letters_that_four_replay_by_filter_are_replayed_once_each(admins):
    letters = [a_dead_letter() for _ in range(6)]

    replies = at_once(*(lambda admin=admin: admin.post("/replay", {}) for admin in admins))

    assert [reply.status for reply in replies] == [200] * 4
    assert sum(reply.data["replayed"] for reply in replies) == 6
    assert sorted(target for _, target, _ in audited()) == sorted(letter.id for letter in letters)


def test_a_letter_is_replayed_or_dismissed_never_both(admins):
    letter = a_dead_letter()
    first, second, *_ = admins

    replies = at_once(
        lambda: first.post(f"/{letter.id}/replay"), lambda: second.post(f"/{letter.id}/dismiss", {"reason": "known"})
    )

    settled = letter_now(letter.id)
    assert sorted(reply.status for reply in replies) == [200, 422]
    assert (settled.replayed_at is None) != (settled.dismissed_at is None)
    assert len(audited()) == 1
    assert waiting() == ([] if settled.dismissed_at else [letter.event_id])

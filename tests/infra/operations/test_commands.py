"""What operators see of the invariants and the dead letters in their terminal."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from shared.kit.db import read_only
from shared.operations.audit import AuditLog
from shared.operations.checks import CHECKS
from tests.builders.dead_letters import a_dead_letter, letter_now
from tests.builders.outbox import waiting
from tests.builders.stores import a_buyer


def test_where_all_holds_each_check_is_ticked(command):
    done = command("check_invariants")

    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"  ✓  {name}" for name in CHECKS]


def test_what_does_not_hold_is_named_and_ends_with_one(command):
    store = a_buyer()

    done = command("check_invariants", "one_active_cart", "kyc_mirrors_licenses")

    assert done.status == 1
    assert done.stdout.splitlines() == [
        "  ✓  one_active_cart",
        "  ✗  kyc_mirrors_licenses: 1 violations",
        f"       {store.id}  is verified, its licenses say pending_verification",
    ]


def test_an_unknown_check_is_one_sentence(command):
    done = command("check_invariants", "luck")

    assert (done.status, done.stdout) == (2, "")
    assert done.stderr.startswith("There is no check 'luck'; there are stock_equals_movements, ")


def test_letters_are_listed_replayed_and_listed_no_more(command):
    letter, other = a_dead_letter(), a_dead_letter(subscription="on_event_analytics")

    before = command("dead_letters", "list")
    replayed = command("dead_letters", "replay", str(letter.id))
    after = command("dead_letters", "list")
    everything = command("dead_letters", "list", "--all", "--subscription", "on_event_notify")

    newest, oldest, count = before.stdout.splitlines()
    assert newest.startswith(f"{other.id}  ")
    assert oldest.split()[0::2] == [str(letter.id), "open", "order_nudged", "failed", "it", "times"]
    assert count == "2 dead letters are open, 2 are shown."
    assert replayed.stdout == (
        f"order_nudged {letter.event_id} goes out again with the next run of cron_publish_outbox.\n"
    )
    assert after.stdout.splitlines()[-1] == "1 dead letters are open, 1 are shown."
    assert everything.stdout.splitlines()[-1] == "1 dead letters, 1 are shown."
    assert waiting() == [letter.event_id]
    with read_only() as session:
        audited = session.execute(select(AuditLog.action, AuditLog.actor_role, AuditLog.target_id)).all()
    assert [tuple(row) for row in audited] == [("dead_letter.replayed", "operator", letter.id)]


def test_letters_of_a_filter_are_replayed_together(command):
    letters = [a_dead_letter() for _ in range(3)]
    a_dead_letter(subscription="on_event_analytics")

    done = command("dead_letters", "replay", "--subscription", "on_event_notify", "--limit", "2")

    assert done.stdout == "2 go out again, 0 cannot, 1 are left open.\n"
    assert sorted(waiting()) == sorted(letter.event_id for letter in letters[:2])


def test_a_letter_that_was_dismissed_is_not_replayed(command):
    letter = a_dead_letter()

    dismissed = command("dead_letters", "dismiss", str(letter.id), "known since Monday")
    replayed = command("dead_letters", "replay", str(letter.id))

    assert (dismissed.status, dismissed.stdout) == (0, f"{letter.id} rests: known since Monday\n")
    assert (replayed.status, replayed.stdout) == (1, "")
    assert replayed.stderr == "The letter was settled otherwise already. (letter_dismissed)\n"
    assert letter_now(letter.id).dismissed_reason == "known since Monday"
    assert waiting() == []


def test_a_letter_is_shown_and_one_that_is_not_there_is_one_sentence(command):
    letter = a_dead_letter()

    shown = command("dead_letters", "show", str(letter.id))
    missing = command("dead_letters", "show", str(uuid4()))

    assert f'"event_id": "{letter.event_id}"' in shown.stdout
    assert (missing.status, missing.stderr) == (1, "There is no such thing here. (NOT_FOUND)\n")


@pytest.mark.parametrize("line", [("check_invariants",), ("dead_letters", "list"), ("backup_drill",)])
def test_without_a_database_a_command_says_so_in_one_sentence(command, monkeypatch, line):
    monkeypatch.setenv("PF_DATABASE_URL", "postgresql+pg8000://nobody@127.0.0.1:1/nothing")

    done = command(*line)

    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith("The database of PF_DATABASE_URL cannot be used: Can't create a connection")
    assert len(done.stderr.splitlines()) == 1

"""Keys are changed in steps that nobody notices: added, promoted, and the former retired."""

import io
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from infra.operations import keys
from infra.operations.keys import step
from shared.identity import sealing
from shared.identity.models import User
from shared.kit.db import read_only, transaction
from shared.kit.tokens import parse_keys
from tests.builders.stores import a_user

OLD = "old:the-secret-that-sealed-until-yesterday-001"


def test_a_key_is_added_behind_promoted_and_left_alone(freeze):
    freeze(datetime(2026, 7, 6, 15, tzinfo=UTC))

    added = step(OLD, "add")
    promoted = step(added, "promote")
    retired = step(promoted, "retire")

    assert list(parse_keys(added)) == ["old", "2026-07-06"]
    assert list(parse_keys(promoted)) == ["2026-07-06", "old"]
    assert parse_keys(promoted) == parse_keys(added)
    assert parse_keys(retired) == {"2026-07-06": parse_keys(added)["2026-07-06"]}
    assert list(parse_keys(step(retired, "add"))) == ["2026-07-06", "2026-07-06-2"]


def test_where_keys_have_no_ids_the_new_one_has_none():
    first = "a-cursor-secret-for-tests-only-00000001"

    old, new = step(first, "add").split(",")

    assert (old, len(new) >= 32, ":" in new) == (first, True, False)


def test_the_command_reads_and_writes_and_knows_three_steps(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{OLD}\n"))
    retired = keys.main(["retire"])
    out = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    nothing, unknown = keys.main(["add"]), keys.main(["burn"])

    assert (retired, out) == (0, OLD)
    assert (nothing, unknown) == (1, 2)
    assert capsys.readouterr().err.splitlines() == [
        "There is no secret to take a step further.",
        "Say which step: add, promote, retire.",
    ]


@pytest.fixture
def mfa_keys(monkeypatch):
    def use(setting: str) -> None:
        monkeypatch.setenv("PF_MFA_KEYS", setting)
        sealing.SealingSettings.forget()

    yield use
    monkeypatch.undo()
    sealing.SealingSettings.forget()


def sealed_for(user: User) -> str:
    sealed = sealing.seal("JBSWY3DPEHPK3PXP", owner_id=user.id)
    with transaction() as session:
        session.execute(update(User).where(User.id == user.id).values(mfa_secret=sealed))
    return sealed


def held_by(user: User) -> str:
    with read_only() as session:
        return session.get_one(User, user.id).mfa_secret


def test_second_factors_are_sealed_anew_and_open_once_the_former_key_is_gone(command, mfa_keys, monkeypatch):
    monkeypatch.setattr("shared.identity.resealing.BATCH", 2)
    mfa_keys(OLD)
    people = [a_user() for _ in range(5)]
    for person in people:
        sealed_for(person)
    without = a_user()
    promoted = step(step(OLD, "add"), "promote")
    mfa_keys(promoted)
    recent = a_user()
    untouched = sealed_for(recent)

    first, again = command("reseal"), command("reseal")

    assert (first.status, first.stdout) == (0, "5 second factors sealed anew, 0 that no key opens.\n")
    assert again.stdout == "0 second factors sealed anew, 0 that no key opens.\n"
    assert (held_by(recent), held_by(without)) == (untouched, None)
    mfa_keys(step(promoted, "retire"))
    opened = {sealing.unseal(held_by(person), owner_id=person.id) for person in people}
    assert opened == {"JBSWY3DPEHPK3PXP"}


def test_one_that_no_key_opens_is_told_and_left(command, mfa_keys):
    mfa_keys(OLD)
    person, other = a_user(), a_user()
    lost, _ = sealed_for(person), sealed_for(other)
    mfa_keys("new:the-secret-that-seals-from-today-on-000002")
    sealed_for(other)

    done = command("reseal")

    assert (done.status, done.stdout) == (1, "0 second factors sealed anew, 1 that no key opens.\n")
    assert held_by(person) == lost

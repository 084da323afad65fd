"""The audit log: one row per action, by whom it was, written with the change and never altered."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.kit.context import Work, working
from shared.kit.db import read_only, transaction
from shared.kit.ids import new_id
from shared.kit.logging import REDACTED
from shared.operations.audit import AuditLog, audit, entry, record
from tests.events import audited

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def written() -> AuditLog:
    """The one row that there is."""
    with read_only() as session:
        return session.query(AuditLog).one()


def test_a_row_tells_who_did_what_to_what_under_which_request_and_when(freeze):
    freeze(NOON)
    user, store, target = new_id(), new_id(), new_id()
    request = Work(function="stores", request_id="request-1", user_id=user, store_id=store, role="manager")

    with working(request), transaction() as session:
        audit(session, "member.removed", "user", target, before={"role": "staff"}, after={"role": None})

    row = written()
    assert (row.actor_user_id, row.actor_store_id, row.actor_role) == (user, store, "manager")
    assert (row.action, row.target_type, row.target_id) == ("member.removed", "user", target)
    assert (row.before, row.after) == ({"role": "staff"}, {"role": None})
    assert (row.request_id, row.created_at) == ("request-1", NOON)


@pytest.mark.parametrize(
    ("known", "role"),
    [({}, "system"), ({"user_id": new_id()}, "user"), ({"role": "anonymous"}, "anonymous")],
)
def test_who_acts_without_a_role_is_a_user_or_the_system(known, role):
    with working(Work(function="probe", request_id="request-1", **known)), transaction() as session:
        audit(session, "probe.done", "probe", None)

    assert written().actor_role == role


def test_secrets_and_people_are_left_out_however_deep():
    with transaction() as session:
        audit(session, "agent.updated", "user", None, after={"phone": "+14055550100", "kept": [{"newPassword": "x"}]})

    assert written().after == {"phone": REDACTED, "kept": [{"newPassword": REDACTED}]}


def test_what_is_undone_leaves_no_row():
    with transaction() as session:
        audit(session, "probe.done", "probe", None)
        session.rollback()

    assert audited() == []


def test_many_rows_take_one_statement():
    with working(Work(function="probe", request_id="request-1")) as this, transaction() as session:
        record(session, *(entry("probe.done", "probe", new_id()) for _ in range(50)))

    assert this.sql_statements == 1
    assert len(audited()) == 50


@pytest.mark.parametrize("change", ["UPDATE audit_logs SET actor_role = 'admin'", "DELETE FROM audit_logs"])
def test_no_row_is_changed_or_deleted(change):
    with transaction() as session:
        audit(session, "probe.done", "probe", None, after={"kept": True})

    with pytest.raises(DBAPIError), transaction() as session:
        session.execute(text(change))

    assert audited() == [("probe.done", None, {"kept": True})]

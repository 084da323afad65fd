"""The audit log is searched by its filters, in pages, and written out as a file."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.kit import clock
from shared.kit.context import Work, working
from shared.kit.db import transaction
from shared.kit.ids import new_id
from shared.operations import audit_search
from shared.operations.audit import AuditLog, audit
from tests.builders.stores import a_user

MONDAY = datetime(2026, 7, 6, 15, 0, tzinfo=UTC)


@pytest.fixture
def admin(api):
    return api.under("/api/v1/admin/audit").as_admin()


def an_entry(action="order.canceled", *, minute=0, target_type="vendor_order", target_id=None, after=None, **who):
    """The id of an action `minute` minutes past Monday's three o'clock."""
    this = Work(function="orders", **{"request_id": "request-0042", **who})
    with working(this), clock.frozen_at(MONDAY + timedelta(minutes=minute)), transaction() as session:
        audit(session, action, target_type, target_id or new_id(), after=after)
        return str(session.query(AuditLog).order_by(AuditLog.created_at.desc(), AuditLog.id.desc()).first().id)


def ids(reply):
    return [entry["id"] for entry in reply.data]


def file_of(reply):
    head, *rows = csv.reader(io.StringIO(reply.raw.decode()))
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_an_entry_is_shown_whole(admin, statements):
    user, store_id, order_id = a_user(), new_id(), new_id()
    entry_id = an_entry(
        target_id=order_id, after={"reason": "late", "email": "rosa@example.com"}, user_id=user.id, store_id=store_id
    )

    with statements() as counted:
        reply = admin.get()

    assert reply.data == [
        {
            "id": entry_id,
            "actor_user_id": str(user.id),
            "actor_store_id": str(store_id),
            "actor_role": "user",
            "action": "order.canceled",
            "target_type": "vendor_order",
            "target_id": str(order_id),
            "before": None,
            "after": {"reason": "late", "email": "[redacted]"},
            "request_id": "request-0042",
            "created_at": "2026-07-06T15:00:00Z",
        }
    ]
    assert counted.sql == 1


def test_pages_run_from_the_newest_to_the_oldest_and_back(admin):
    entries = [an_entry(minute=minute) for minute in range(5)]

    first = admin.get(limit=2)
    second = admin.get(limit=2, cursor=first.page["next"])
    third = admin.get(limit=2, cursor=second.page["next"])
    back = admin.get(limit=2, cursor=second.page["prev"])

    assert ids(first) + ids(second) + ids(third) == entries[::-1]
    assert (third.page["next"], ids(back)) == (None, ids(first))
    assert admin.get(limit=2, cursor=first.page["next"], action="order.canceled").status == 400


def test_each_filter_narrows_the_list(admin):
    user_id, store_id, order_id = new_id(), new_id(), new_id()
    ours = an_entry(user_id=user_id, store_id=store_id, role="owner", target_id=order_id, request_id="request-0001")
    other = an_entry("flag.changed", minute=10, target_type="feature_flag")
    both = [other, ours]

    assert ids(admin.get()) == both
    for narrowed in (
        {"actor_user_id": str(user_id)},
        {"actor_role": "owner"},
        {"store_id": str(store_id)},
        {"action": "order.canceled"},
        {"target_type": "vendor_order"},
        {"target_id": str(order_id)},
        {"request_id": "request-0001"},
        {"created_to": "2026-07-06T15:09:59Z"},
    ):
        assert (narrowed, ids(admin.get(**narrowed))) == (narrowed, [ours])
        assert (narrowed, [row["id"] for row in file_of(admin.get("/export", **narrowed))]) == (narrowed, [ours])
    assert ids(admin.get(created_from="2026-07-06T15:10:00Z")) == [other]
    assert ids(admin.get(action="order.canceled,flag.changed")) == both
    assert ids(admin.get(store_id=str(uuid4()))) == []
    assert (admin.get(surprise=1).status, admin.get("/export", limit=2).status) == (400, 400)


@pytest.mark.parametrize(("entries", "queries"), [(0, 1), (3, 2), (4, 3), (7, 4)])
def test_the_file_holds_everything_oldest_first_a_batch_at_a_time(admin, monkeypatch, entries, queries):
    monkeypatch.setattr(audit_search, "BATCH", 2)
    written = [an_entry(minute=minute) for minute in range(entries)]
    this = Work(function="test", request_id="request-1")

    reply = admin.get("/export")
    with working(this):
        pieces = list(audit_search.write_entries(audit_search.AuditFilters()))

    assert [row["id"] for row in file_of(reply)] == written
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert reply.headers["Content-Disposition"] == "attachment; filename=audit.csv"
    assert (b"".join(pieces), this.sql_statements) == (reply.raw, queries)


def test_a_cell_of_the_file_is_plain_text(admin):
    an_entry("=1+1", after={"reason": "late"})

    (row,) = file_of(admin.get("/export"))

    assert (row["action"], row["created_at"]) == ("'=1+1", "2026-07-06T15:00:00Z")
    assert (json.loads(row["after"]), row["before"]) == ({"reason": "late"}, "")


def test_only_admins_may(api):
    api = api.under("/api/v1/admin/audit")

    for caller in (api.as_agent(), api.as_user(a_user())):
        assert (caller.get().status, caller.get("/export").status) == (403, 403)
    assert (api.get().status, api.get("/export").status) == (401, 401)

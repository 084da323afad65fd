"""Pages: total, stable while rows are added, and closed to tampering."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from shared.identity.models import User
from shared.kit.config import SettingMissing
from shared.kit.db import read_only, transaction
from shared.kit.errors import InvalidRequest
from shared.kit.pagination import CursorSettings, Order, PageQuery, page_of
from tests.builders.stores import a_user

NEWEST = Order((User.created_at, User.id))


class People(PageQuery):
    last_name: str | None = None


def page(**query):
    with read_only() as session:
        return page_of(session, select(User.email), People(**query), NEWEST)


def emails(found):
    return [row.email for row in found.items]


def walk(limit):
    """All pages from the first on, and back again."""
    forth, found = [], page(limit=limit)
    forth.append(emails(found))
    while found.next:
        found = page(limit=limit, cursor=found.next)
        forth.append(emails(found))
    back = [emails(found)]
    while found.prev:
        found = page(limit=limit, cursor=found.prev)
        back.append(emails(found))
    return forth, back[::-1]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ages=st.lists(st.integers(0, 3), max_size=12), limit=st.integers(1, 5))
def test_pages_forth_and_back_hold_every_row_once_in_order(database, ages, limit):
    with transaction() as session:
        session.query(User).delete()
    start = datetime(2026, 1, 1, tzinfo=UTC)
    people = [a_user(created_at=start + timedelta(days=age)) for age in ages]
    expected = [user.email for user in sorted(people, key=lambda user: (user.created_at, user.id), reverse=True)]

    forth, back = walk(limit)

    assert [email for part in forth for email in part] == expected
    assert [email for part in back for email in part] == expected
    assert all(len(part) == limit for part in forth[:-1])


def test_rows_that_are_added_meanwhile_neither_repeat_nor_hide_others():
    old = [a_user(created_at=datetime(2026, 1, n, tzinfo=UTC)) for n in (3, 2, 1)]
    first = page(limit=2)
    a_user(created_at=datetime(2026, 2, 1, tzinfo=UTC))

    second = page(limit=2, cursor=first.next)

    assert emails(first) + emails(second) == [user.email for user in old]


def test_a_total_is_counted_only_when_asked_for():
    for _ in range(3):
        a_user()

    assert page(limit=1).total is None
    assert page(limit=1, include_total=True).total == 3


def test_an_empty_list_leads_nowhere():
    found = page()

    assert (found.items, found.next, found.prev) == ([], None, None)


def spoil(cursor: str) -> str:
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[-3] ^= 1
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize("twist", [spoil, lambda _: "x", lambda _: "é", lambda cursor: cursor[:-4], lambda _: "===="])
def test_a_cursor_that_was_tampered_with_is_refused(twist):
    for _ in range(3):
        a_user()
    cursor = page(limit=1).next

    with pytest.raises(InvalidRequest):
        page(limit=1, cursor=twist(cursor))


def test_a_cursor_is_good_for_its_filters_only():
    for _ in range(3):
        a_user()
    cursor = page(limit=1).next

    with pytest.raises(InvalidRequest):
        page(limit=1, cursor=cursor, last_name="Diaz")
    assert len(page(limit=2, cursor=cursor).items) == 2


@pytest.fixture
def cursor_keys(monkeypatch):
    def use(setting: str) -> None:
        monkeypatch.setenv("PF_CURSOR_KEY", setting)
        CursorSettings.forget()

    yield use
    monkeypatch.undo()
    CursorSettings.forget()


def test_a_cursor_outlives_its_key_until_that_is_retired(database, cursor_keys):
    for _ in range(3):
        a_user()
    old, new = "the-former-cursor-secret-of-the-tests", "the-present-cursor-secret-of-the-tests"
    cursor_keys(old)
    before = page(limit=1).next
    cursor_keys(f"{new},{old}")

    assert emails(page(limit=1, cursor=before)) == emails(page(limit=1, cursor=page(limit=1).next))
    cursor_keys(new)
    with pytest.raises(InvalidRequest):
        page(limit=1, cursor=before)


@pytest.mark.parametrize("setting", ["short", "a-secret-that-is-quite-long-enough-001,short"])
def test_a_weak_key_is_refused(cursor_keys, setting):
    cursor_keys(setting)

    with pytest.raises(SettingMissing, match=r"^Setting PF_CURSOR_KEY is not usable"):
        CursorSettings.current()

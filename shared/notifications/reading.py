"""A caller's notifications: listed with how many are unread, and marked as read."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, null, or_, select, true, update
from sqlalchemy.orm import Session

from shared.identity.callers import UserCaller
from shared.kit import clock
from shared.kit.errors import NotFound
from shared.kit.pagination import Order, Page, PageQuery, Seek, page_from
from shared.notifications.models import Notification

NEWEST_FIRST = Order((Notification.created_at, Notification.id))


class NotificationQuery(PageQuery):
    """`unread=true` leaves out what was read, `unread=false` what was not."""

    unread: bool | None = None


def list_notifications(session: Session, caller: UserCaller, query: NotificationQuery) -> Page[Row[Any]]:
    """One page, newest first, with `unread_count` among its totals: one statement for all of it.

    Raises InvalidRequest for a cursor that does not belong here.
    """
    counts: dict[str, int] = {}

    def fetch(seek: Seek) -> Sequence[Row[Any]]:
        rows = session.execute(_counted_page(_wanted(caller, query), query, caller, seek)).all()
        counts.update(unread_count=rows[0].unread_count, total=rows[0].total)
        # An empty page still brings the counts, in a row without a notification.
        return [row for row in rows if row.id is not None]

    page = page_from(fetch, query, NEWEST_FIRST)
    total = counts["total"] if query.include_total else None
    return replace(page, total=total, totals={"unread_count": counts["unread_count"]})


def mine(caller: UserCaller) -> ColumnElement[bool]:
    """The notifications for the caller: those of the active store, of the system role, and the user's own."""
    told = [Notification.recipient_user_id == caller.user_id]
    if caller.store_id is not None:
        told.append(Notification.recipient_store_id == caller.store_id)
    if caller.system_role is not None:
        told.append(Notification.recipient_role == caller.system_role)
    return or_(*told)


def mark_read(session: Session, caller: UserCaller, notification_id: UUID) -> Notification:
    """Mark one of the caller's notifications as read; it keeps the moment of the first time. Raises NotFound."""
    told: Notification | None = session.scalar(
        update(Notification)
        .where(Notification.id == notification_id, mine(caller))
        .values(read_at=func.coalesce(Notification.read_at, clock.now()))
        .returning(Notification)
    )
    if told is None:
        raise NotFound
    return told


def mark_all_read(session: Session, caller: UserCaller) -> int:
    """Mark all of the caller's notifications as read; how many were not."""
    unread = update(Notification).where(mine(caller), Notification.read_at.is_(None))
    changed = session.scalars(
        unread.values(read_at=clock.now()).returning(Notification.id), execution_options={"synchronize_session": False}
    )
    return len(changed.all())


def _wanted(caller: UserCaller, query: NotificationQuery) -> ColumnElement[bool]:
    wanted = mine(caller)
    if query.unread is None:
        return wanted
    is_unread = Notification.read_at.is_(None)
    return wanted & (is_unread if query.unread else ~is_unread)


def _counted_page(wanted: ColumnElement[bool], query: NotificationQuery, caller: UserCaller, seek: Seek) -> Select[Any]:
    """The page's rows, each with the counts; one row of nulls beside the counts when there is none."""
    columns = Notification.__table__.c
    page = NEWEST_FIRST.sought(select(*columns, *NEWEST_FIRST.marks()).where(wanted), seek).subquery("page")
    unread_count = select(func.count()).where(mine(caller), Notification.read_at.is_(None)).scalar_subquery()
    total = select(func.count()).where(wanted).scalar_subquery() if query.include_total else null()
    counts = select(unread_count.label("unread_count"), total.label("total")).subquery("counts")
    in_order = [page.c.created_at, page.c.id]
    return (
        select(counts, page)
        .select_from(counts)
        .outerjoin(page, true())
        .order_by(*(column.asc() if seek.backwards else column.desc() for column in in_order))
    )

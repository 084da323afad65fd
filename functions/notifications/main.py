"""What people are told, to be read and ticked off.

Serves /api/v1/notifications. A caller reads the notifications of the active store, of its system role, and its own,
and chooses which of them come by mail too.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.identity.callers import UserCaller, signed_in
from shared.kit.db import read_only, transaction
from shared.kit.errors import InvalidRequest, NotFound
from shared.kit.http import Api
from shared.kit.schemas import Page, Request, Response
from shared.notifications import preferences, reading
from shared.notifications.models import NotificationType
from shared.notifications.reading import NotificationQuery

api = Api("notifications", prefix="/api/v1/notifications")


class NotificationResponse(Response):
    """A notification; `link` is a path of the front end."""

    id: UUID
    type: NotificationType
    title: str
    message: str
    link: str
    read_at: datetime | None
    created_at: datetime


class ReadAllResponse(Response):
    """How many were unread."""

    updated: int


class PreferenceResponse(Response):
    """Whether a category comes by mail too; security mail always does."""

    category: NotificationType
    email: bool
    can_change: bool


class PreferencesResponse(Response):
    preferences: list[PreferenceResponse]


class PreferencesRequest(Request):
    """For each category that shall change, whether it comes by mail; the others stay as they are."""

    email: Annotated[dict[NotificationType, bool], Field(min_length=1)]

    example = {"email": {"order_alert": False, "billing": True}}


@api.get("", allow=signed_in())
def list_notifications(caller: UserCaller, query: NotificationQuery) -> Page[NotificationResponse]:
    """The caller's notifications, newest first; `totals.unread_count` says how many were not read."""
    with read_only() as session:
        page = reading.list_notifications(session, caller, query)
    return page.of([NotificationResponse.of_row(row._asdict()) for row in page.items])


# Reading once more changes nothing, so these need no key.
@api.post("/<uuid:notification_id>/read", allow=signed_in(), idempotent=None, raises=(NotFound,))
def read(caller: UserCaller, notification_id: UUID) -> NotificationResponse:
    """Mark a notification as read; harmless when repeated."""
    with transaction() as session:
        return NotificationResponse.model_validate(reading.mark_read(session, caller, notification_id))


@api.post("/read-all", allow=signed_in(), idempotent=None)
def read_all(caller: UserCaller) -> ReadAllResponse:
    """Mark all of the caller's notifications as read."""
    with transaction() as session:
        return ReadAllResponse(updated=reading.mark_all_read(session, caller))


@api.get("/preferences", allow=signed_in())
def list_preferences(caller: UserCaller) -> PreferencesResponse:
    """Which categories come to the caller by mail too."""
    with read_only() as session:
        return PreferencesResponse.model_validate(
            {"preferences": preferences.list_preferences(session, caller.user_id)}
        )


@api.patch("/preferences", allow=signed_in(), raises=(InvalidRequest,))
def choose(caller: UserCaller, body: PreferencesRequest) -> PreferencesResponse:
    """Choose which categories come by mail; security mail cannot be switched off."""
    with transaction() as session:
        preferences.choose(session, caller.user_id, body.email)
        return PreferencesResponse.model_validate(
            {"preferences": preferences.list_preferences(session, caller.user_id)}
        )


main = api.entry_point()

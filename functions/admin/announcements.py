"""Announcements: tell stores something, by type and state.

Serves /api/v1/admin/announcements.
"""

from typing import Annotated, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field, StringConstraints

from shared.identity.callers import AdminCaller, admin
from shared.identity.permissions import StoreType
from shared.kit.http import Api, Asked
from shared.kit.idempotency import DAYS_7
from shared.kit.schemas import Request, Response
from shared.notifications.announcing import Announcement, announce
from shared.notifications.models import NotificationType

api = Api("admin", prefix="/api/v1/admin/announcements")

_LINE = r"^[^\x00-\x1f\x7f]+$"
State = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]


class AnnouncementRequest(Request):
    """What stores are told. Without `store_type` or `states` it is all of them; `link` is a path of the front end."""

    type: Literal[NotificationType.SYSTEM_ANNOUNCEMENT, NotificationType.MARKET_UPDATE] = (
        NotificationType.SYSTEM_ANNOUNCEMENT
    )
    title: Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=_LINE)]
    message: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
    link: Annotated[str, StringConstraints(max_length=500, pattern=r"^/([^/\\\x00-\x20\x7f][^\\\x00-\x20\x7f]*)?$")] = (
        "/notifications"
    )
    store_type: StoreType | None = None
    states: Annotated[frozenset[State], Field(max_length=60)] = frozenset()

    example = {
        "title": "Maintenance on Sunday",
        "message": "Orders rest from 2 to 3 in the morning.",
        "store_type": "vendor",
        "states": ["OK"],
    }


class AnnouncementResponse(Response):
    """An announcement that was made; `stores` is how many it concerns."""

    id: UUID
    stores: int


@api.post(allow=admin(), idempotent=DAYS_7, status=201)
def publish(caller: AdminCaller, body: AnnouncementRequest, asked: Asked) -> AnnouncementResponse:
    """Tell stores something; sent again after it broke off, it reaches those who were not told yet."""
    announcement = Announcement(id=_id_of(caller, asked), **body.model_dump())
    return AnnouncementResponse(id=announcement.id, stores=announce(announcement))


def _id_of(caller: AdminCaller, asked: Asked) -> UUID:
    """The same for the same request under the same key, so that a store that was told knows it again."""
    made_of = (caller.user_id, asked.header("Idempotency-Key"), asked.identity.hex())
    return uuid5(NAMESPACE_URL, "/".join(str(part) for part in made_of))

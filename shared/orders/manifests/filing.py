"""The manifest of an order as a file: ours, made from the order, or one that the vendor uploaded in its place.

It belongs to the vendor's files and is kept from deletion as long as the order has it. A manifest of ours that
another one takes the place of is deleted; an upload stays with the vendor's files.
"""

from contextlib import suppress
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.kit.db import read_only, transaction
from shared.kit.errors import Conflict, StateConflict
from shared.media import making
from shared.media.attachments import reconcile
from shared.media.deletion import request_if_unused
from shared.media.kinds import MediaKind
from shared.media.making import Content, Made
from shared.media.models import EntityType, Media, MediaAttachment
from shared.orders import queries
from shared.orders.history import recorded
from shared.orders.manifests.content import Manifest, manifest_of
from shared.orders.manifests.paper import printed
from shared.orders.models import Order, OrderStatus

TRAVELS = (
    OrderStatus.ACCEPTED,
    OrderStatus.PARTIALLY_ACCEPTED,
    OrderStatus.READY_FOR_DISPATCH,
    OrderStatus.IN_TRANSIT,
)
"""Its goods will be or are on the road, so there is something to make a manifest of."""

KEEPS_RECORDS = (*TRAVELS, OrderStatus.DELIVERED, OrderStatus.CLOSED)
"""The paper signed at the buyer's door comes back when the goods are there."""


_ATTEMPTS = 3
"""An agent is assigned moments after an order was packed, which is when its manifest is made."""


class OrderChanged(Conflict):
    default_message = "The order changed while its manifest was being made; ask again."


def generate(vendor_store_id: UUID, order_id: UUID) -> Media:
    """Make the manifest of a vendor's order; the one that it has when that says the same.

    It calls the storage, so it brings its own transaction; made anew when the order changes meanwhile. Raises
    NotFound, StateConflict, NoLicenseInForce, OrderChanged when it does not come to rest, DependencyDown.
    """
    for _ in range(_ATTEMPTS - 1):
        with suppress(OrderChanged):
            return _generate(vendor_store_id, order_id)
    return _generate(vendor_store_id, order_id)


def _generate(vendor_store_id: UUID, order_id: UUID) -> Media:
    with read_only() as session:
        order = queries.get_order_of_vendor(session, vendor_store_id, order_id)
        _require(order, TRAVELS, "generate_manifest")
        manifest = manifest_of(session, order)
        present = find_manifest(session, order_id)
    file = _file(manifest)
    if present is not None and _is_same(present, file):
        return present
    made = making.store(vendor_store_id, file)
    try:
        with transaction() as session:
            media = _put_in_place(session, vendor_store_id, order_id, manifest, made)
    except OrderChanged:
        making.discard(made)
        raise
    if media.id != made.media_id:
        making.discard(made)
    return media


def override(session: Session, order: Order, media_id: UUID) -> Media:
    """A file of the vendor's own becomes the manifest of a locked order.

    Raises StateConflict, MediaNotFound, InvalidRequest for a file of another kind, MediaNotAttachable.
    """
    _require(order, KEEPS_RECORDS, "override_manifest")
    present = find_manifest(session, order.id)
    if present is not None and present.id == media_id:
        return present
    _replace(session, order, present, media_id, "order.manifest_overridden")
    return session.get_one(Media, media_id)


def find_manifest(session: Session, order_id: UUID) -> Media | None:
    """The manifest that an order has."""
    used = (MediaAttachment.entity_type == EntityType.ORDER_MANIFEST, MediaAttachment.entity_id == order_id)
    return session.scalar(select(Media).join(MediaAttachment, MediaAttachment.media_id == Media.id).where(*used))


def _file(manifest: Manifest) -> Content:
    name = f"Manifest of order {manifest.order_number}.pdf"
    return Content(MediaKind.MANIFEST, "application/pdf", name, printed(manifest))


def _is_same(present: Media, file: Content) -> bool:
    return present.is_generated and present.is_usable and present.sha256 == file.sha256


def _put_in_place(session: Session, vendor_store_id: UUID, order_id: UUID, manifest: Manifest, made: Made) -> Media:
    """The made file becomes the manifest, unless a rival's that says the same is there. Raises OrderChanged."""
    order = queries.lock_order_of_vendor(session, vendor_store_id, order_id)
    if order.status not in TRAVELS or manifest_of(session, order) != manifest:
        raise OrderChanged(details={"reason": "order_changed"})
    present = find_manifest(session, order_id)
    if present is not None and _is_same(present, made.file):
        return present
    media = making.keep(session, made)
    _replace(session, order, present, media.id, "order.manifest_generated")
    return media


def _replace(session: Session, order: Order, present: Media | None, media_id: UUID, action: str) -> None:
    former = present and str(present.id)
    with recorded(session, order, action, media_id=str(media_id), former_media_id=former):
        reconcile(session, order.vendor_store_id, EntityType.ORDER_MANIFEST, order.id, [media_id])
        if present is not None and present.is_generated:
            request_if_unused(session, order.vendor_store_id, present.id)


def _require(order: Order, statuses: tuple[OrderStatus, ...], action: str) -> None:
    if order.status not in statuses:
        raise StateConflict(
            "An order in this state has no goods to transport.",
            details={"from": order.status, "action": action, "allowed": []},
        )

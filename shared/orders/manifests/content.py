"""What a transport manifest says, as Oklahoma wants it.

Source: Oklahoma Administrative Code 442:10-3-6(b), "Inventory manifests" (as of December 2024): license number,
name, address and contact of the originating licensee, of the transporter and of the receiving licensee; a complete
inventory with quantities by weight or unit and batch numbers; date and approximate time of departure; printed
names, signatures and license numbers of the people who go along. What we are not told (batches, the agents' license
numbers) and what is written at the doors (signatures, arrival) is left blank on the paper for the pen; the filled-in
paper can be filed in place of ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.identity.addresses import WrittenAddressColumns
from shared.identity.models import Store, User
from shared.kit import clock
from shared.kit.config import CommonSettings, Settings
from shared.kit.errors import StateConflict
from shared.licensing.models import License
from shared.licensing.queries import list_in_force
from shared.orders.listing import Buyer, Vendor
from shared.orders.models import LineStatus, Order, OrderAssignment, OrderLine


class ManifestSettings(Settings):
    """Who transports: the name, and the number of the transporter license, blank on the paper when it is empty."""

    transporter_name: str = "PackFinderz"
    transporter_license: str = ""


@dataclass(frozen=True)
class Party:
    """A licensee at one end of the way."""

    name: str
    licenses: tuple[str, ...]
    address: tuple[str, ...]
    contact: tuple[str, ...]


@dataclass(frozen=True)
class Carrier:
    """Who brings the goods. Without an agent the driver's name is left blank."""

    name: str
    license: str
    driver: str
    driver_phone: str


@dataclass(frozen=True)
class Goods:
    """One line of the inventory, as it was ordered."""

    title: str
    sku: str
    sort: str
    qty: int
    unit: str


@dataclass(frozen=True)
class Manifest:
    """All that stands on the paper: two that are equal look the same. Times are local; `departure` is blank until
    the pick-up.
    """

    order_number: int
    placed_at: datetime
    departure: str
    origin: Party
    destination: Party
    carrier: Carrier
    goods: tuple[Goods, ...]


class NoLicenseInForce(StateConflict):
    default_message = "A store that is part of the transport has no license in force."


def manifest_of(session: Session, order: Order) -> Manifest:
    """What the manifest of an order says now, by three statements. Raises NoLicenseInForce."""
    vendor, buyer, assignment, agent = session.execute(
        select(Vendor, Buyer, OrderAssignment, User)
        .select_from(Order)
        .join(Vendor, Vendor.id == Order.vendor_store_id)
        .join(Buyer, Buyer.id == Order.buyer_store_id)
        .outerjoin(OrderAssignment, (OrderAssignment.order_id == Order.id) & OrderAssignment.closed_at.is_(None))
        .outerjoin(User, User.id == OrderAssignment.agent_user_id)
        .where(Order.id == order.id)
    ).one()
    today = clock.today(CommonSettings.current().time_zone)
    licenses = list_in_force(session, [vendor.id, buyer.id], today)
    return Manifest(
        order_number=order.order_number,
        placed_at=_local(order.created_at),
        departure=_moment(assignment.picked_up_at) if assignment and assignment.picked_up_at else "",
        origin=_party(vendor, licenses, "vendor", vendor),
        destination=_party(buyer, licenses, "buyer", order),
        carrier=_carrier(agent),
        goods=_goods(session, order.id),
    )


def _party(store: Store, licenses: Sequence[License], side: str, place: WrittenAddressColumns) -> Party:
    numbers = tuple(
        f"{held.number} ({held.issuing_state} {held.type})" for held in licenses if held.store_id == store.id
    )
    if not numbers:
        raise NoLicenseInForce(details={"reason": "no_license_in_force", "side": side})
    trading = f"{store.company_name}, trading as {store.dba_name}" if store.dba_name else store.company_name
    town = f"{place.city}, {place.state} {place.postal_code}"
    return Party(trading, numbers, _told(place.line1, place.line2, town), _told(store.phone, store.email))


def _carrier(agent: User | None) -> Carrier:
    settings = ManifestSettings.current()
    driver, phone = (f"{agent.first_name} {agent.last_name}", agent.phone or "") if agent else ("", "")
    return Carrier(settings.transporter_name, settings.transporter_license, driver, phone)


def _goods(session: Session, order_id: UUID) -> tuple[Goods, ...]:
    """What stands of the order; rejected lines do not travel."""
    statement = select(*OrderLine.__table__.columns).where(
        OrderLine.order_id == order_id, OrderLine.status != LineStatus.REJECTED
    )
    lines = session.execute(statement.order_by(OrderLine.position))
    return tuple(
        Goods(
            title=line.title,
            sku=line.sku,
            sort=", ".join(_told((line.category or "").replace("_", "-"), line.classification, line.strain)),
            qty=line.qty,
            unit=line.unit or "unit",
        )
        for line in lines
    )


def _told(*parts: str | None) -> tuple[str, ...]:
    return tuple(part for part in parts if part)


def _moment(at: datetime) -> str:
    return _local(at).strftime("%B %d, %Y, %H:%M %Z")


def _local(at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(CommonSettings.current().time_zone))

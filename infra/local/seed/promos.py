"""Codes of some vendors: live, over, yet to come, and nearly used up."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from infra.local.seed.stores import SeededStore
from shared.catalog.models import VendorPromo
from shared.kit import clock
from shared.kit.ids import new_id
from shared.kit.tables import insert_all

_DAY = timedelta(days=1)
_PROMOS: tuple[dict[str, Any], ...] = (
    {"code": "WELCOME10", "kind": "percent", "value": 10, "starts": -60, "per_buyer_limit": 1},
    {"code": "HARVEST5", "kind": "percent", "value": 5, "starts": -20, "ends": 40, "min_subtotal_cents": 50_000},
    {"code": "BULK250", "kind": "fixed", "value": 25_000, "starts": -10, "min_subtotal_cents": 300_000},
    {"code": "FIRST50", "kind": "fixed", "value": 5_000, "starts": -5, "max_redemptions": 50},
    {"code": "SPRING20", "kind": "percent", "value": 20, "starts": -90, "ends": -30},
    {"code": "SOON15", "kind": "percent", "value": 15, "starts": 14, "ends": 44},
)


def write_promos(session: Session, vendors: Sequence[SeededStore]) -> None:
    """One promo for every second vendor, in turn."""
    rows = [_row(vendor, _PROMOS[n % len(_PROMOS)]) for n, vendor in enumerate(vendors[::2])]
    insert_all(session, VendorPromo, rows)


def _row(vendor: SeededStore, promo: dict[str, Any]) -> dict[str, Any]:
    now = clock.now()
    return {
        "id": new_id(),
        "store_id": vendor.id,
        "code": promo["code"],
        "kind": promo["kind"],
        "value": promo["value"],
        "min_subtotal_cents": promo.get("min_subtotal_cents", 0),
        "starts_at": now + promo["starts"] * _DAY,
        "ends_at": now + promo["ends"] * _DAY if "ends" in promo else None,
        "max_redemptions": promo.get("max_redemptions"),
        "per_buyer_limit": promo.get("per_buyer_limit"),
        "redeemed_count": 0,
        "is_active": True,
        "created_at": now - 90 * _DAY,
    }

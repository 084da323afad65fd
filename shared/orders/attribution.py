"""The ads behind a checkout, materialised on its orders and lines from what the cart kept."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.ads.attribution import Reason, Touch, attribution_to
from shared.ads.claims import TargetType
from shared.kit.config import Settings

Target = tuple[TargetType, UUID]


class AttributionSettings(Settings):
    """`ads_line_fallback`: a line without a product ad of its own is owed to its order's store ad."""

    ads_line_fallback: bool = True


def attribute(
    kept: Sequence[dict[str, Any]], orders: Sequence[dict[str, Any]], lines: Sequence[dict[str, Any]]
) -> None:
    """Write into each order and line the snapshot of the ad that it is owed to, or none."""
    touches = _by_target(kept)
    stores = {order["id"]: touches.get((TargetType.STORE, order["vendor_store_id"]), []) for order in orders}
    falls_back = AttributionSettings.current().ads_line_fallback
    for order in orders:
        order["attribution"] = attribution_to(stores[order["id"]])
    for line in lines:
        own = attribution_to(touches.get((TargetType.PRODUCT, line["product_id"]), []))
        if own is None and falls_back:
            own = attribution_to(stores[line["order_id"]], because=Reason.STORE_FALLBACK)
        line["attribution"] = own


def _by_target(kept: Sequence[dict[str, Any]]) -> Mapping[Target, list[Touch]]:
    touches: dict[Target, list[Touch]] = {}
    for row in kept:
        touch = Touch.from_json(row)
        touches.setdefault(touch.target, []).append(touch)
    return touches

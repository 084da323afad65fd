"""The ads behind a checkout, materialised on its orders and lines from what the cart kept."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.ads.attribution import Reason, Touch, attribution_to
from shared.ads.claims import TargetType

Target = tuple[TargetType, UUID]
Rows = Sequence[dict[str, Any]]


def attribute(kept: Rows, orders: Rows, lines: Rows, *, lines_fall_back: bool) -> None:
    """Write into each order and line the snapshot of the ad that it is owed to, or none.

    With `lines_fall_back` a line without a product ad of its own is owed to its order's store ad.
    """
    touches = _by_target(kept)
    stores = {order["id"]: touches.get((TargetType.STORE, order["vendor_store_id"]), []) for order in orders}
    for order in orders:
        order["attribution"] = attribution_to(stores[order["id"]])
    for line in lines:
        own = attribution_to(touches.get((TargetType.PRODUCT, line["product_id"]), []))
        if own is None and lines_fall_back:
            own = attribution_to(stores[line["order_id"]], because=Reason.STORE_FALLBACK)
        line["attribution"] = own


def _by_target(kept: Rows) -> Mapping[Target, list[Touch]]:
    touches: dict[Target, list[Touch]] = {}
    for row in kept:
        touch = Touch.from_json(row)
        touches.setdefault(touch.target, []).append(touch)
    return touches

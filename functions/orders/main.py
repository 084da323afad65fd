"""Orders as their two owners see them: the store that placed one, and the store it was placed with.

Serves /api/v1/orders and /api/v1/vendor/orders.
"""

from functions.orders import buyer, manifests, reading, vendor
from shared.kit.http import serve
from shared.media.storage import check_storage

main = serve("orders", reading.api, buyer.api, vendor.api, manifests.api, storage=check_storage)

"""The catalogue: the buyers' grid, and the vendors' products, stock and promos.

Serves /api/v1/products, /api/v1/vendor/products, /api/v1/inventory and /api/v1/vendor/promos.
Publishes inventory_low.
"""

from functions.products import grid, inventory, promos, shelf
from shared.kit.http import serve

main = serve("products", grid.api, shelf.api, inventory.api, promos.api)

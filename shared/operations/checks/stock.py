"""Stock is the sum of its movements, and what is reserved is what open orders wait for."""

_MOVEMENTS = """
    WITH moved AS (
        SELECT product_id, sum(delta_available_qty) AS available_qty, sum(delta_reserved_qty) AS reserved_qty
        FROM inventory_movements GROUP BY product_id
    )
    SELECT product_id AS subject,
           format('holds %s and %s reserved, its movements make %s and %s', item.available_qty, item.reserved_qty,
                  coalesce(moved.available_qty, 0), coalesce(moved.reserved_qty, 0)) AS detail
    FROM inventory_items AS item FULL JOIN moved USING (product_id)
    WHERE (item.available_qty, item.reserved_qty)
          IS DISTINCT FROM (coalesce(moved.available_qty, 0), coalesce(moved.reserved_qty, 0))
"""

# A line holds its stock from checkout until it is rejected or delivered; what is packed is still in the house.
_RESERVED = """
    WITH waited_for AS (
        SELECT line.product_id, sum(line.qty) AS qty
        FROM order_line_items AS line JOIN vendor_orders AS placed ON placed.id = line.order_id
        WHERE line.status <> 'rejected'
          AND placed.status NOT IN ('delivered', 'closed', 'rejected', 'canceled', 'expired')
        GROUP BY line.product_id
    )
    SELECT product_id AS subject,
           format('%s reserved, open lines wait for %s', item.reserved_qty, coalesce(waited_for.qty, 0)) AS detail
    FROM inventory_items AS item FULL JOIN waited_for USING (product_id)
    WHERE coalesce(item.reserved_qty, 0) <> coalesce(waited_for.qty, 0)
"""

CHECKS = {"stock_equals_movements": _MOVEMENTS, "reserved_equals_open_lines": _RESERVED}

"""What facets and totals are summed up from is what a count of the offered products makes."""

_COUNTS = """
    WITH counted AS (
        SELECT vendor_store_id, facet, value, count(*)
        FROM products, traits_of(vendor_store_id, category, classification, strain, feelings, flavors, usage)
        WHERE is_active AND deleted_at IS NULL GROUP BY vendor_store_id, facet, value
    )
    SELECT vendor_store_id AS subject,
           format('counts %s products of %s %s, there are %s', coalesce(held.count, 0), facet, value,
                  coalesce(counted.count, 0)) AS detail
    FROM product_counts AS held FULL JOIN counted USING (vendor_store_id, facet, value)
    WHERE coalesce(held.count, 0) <> coalesce(counted.count, 0)
"""

CHECKS = {"product_counts_equal_products": _COUNTS}

"""The rating of a vendor or a product is the sum of the reviews of it that are shown."""


def _ratings(table: str, column: str) -> str:
    return f"""
    WITH given AS (
        SELECT {column} AS id, count(*) AS count, sum(rating) AS sum
        FROM reviews WHERE hidden_at IS NULL AND {column} IS NOT NULL GROUP BY {column}
    )
    SELECT rated.id AS subject,
           format('counts %s ratings that sum to %s, its reviews make %s and %s', rated.rating_count,
                  rated.rating_sum, coalesce(given.count, 0), coalesce(given.sum, 0)) AS detail
    FROM {table} AS rated LEFT JOIN given ON given.id = rated.id
    WHERE rated.rating_count <> coalesce(given.count, 0) OR rated.rating_sum <> coalesce(given.sum, 0)
"""  # noqa: S608 - the names are ours


CHECKS = {
    "store_ratings_equal_reviews": _ratings("stores", "store_id"),
    "product_ratings_equal_reviews": _ratings("products", "product_id"),
}

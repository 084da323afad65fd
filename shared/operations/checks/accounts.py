"""What is told about a store agrees with what it is told from: cards, carts, files, licenses, subscription."""

_CARDS = """
    SELECT store_id AS subject,
           format('%s of its %s cards are its default', count(*) FILTER (WHERE is_default), count(*)) AS detail
    FROM payment_methods WHERE disabled_at IS NULL
    GROUP BY store_id HAVING count(*) FILTER (WHERE is_default) <> 1
"""

_CARTS = """
    SELECT buyer_store_id AS subject, format('has %s active carts', count(*)) AS detail
    FROM cart_records WHERE status = 'active' GROUP BY buyer_store_id HAVING count(*) > 1
"""

# Ads have no table yet, so their creatives are not looked at.
_ATTACHMENTS = """
    WITH things(entity_type, id) AS (
        SELECT 'license'::media_entity_type, id FROM licenses
        UNION ALL SELECT unnest(ARRAY['product_gallery', 'product_coa']::media_entity_type[]), id FROM products
        UNION ALL SELECT unnest(ARRAY['store_logo', 'store_banner']::media_entity_type[]), id FROM stores
        UNION ALL SELECT 'user_avatar', id FROM users
        UNION ALL SELECT 'order_manifest', id FROM vendor_orders
    )
    SELECT used.media_id AS subject,
           CASE WHEN file.status = 'deleted' THEN format('is deleted and attached to %s %s', entity_type, entity_id)
                ELSE format('is attached to %s %s, which is not there', entity_type, entity_id) END AS detail
    FROM media_attachments AS used JOIN media AS file ON file.id = used.media_id
    WHERE file.status = 'deleted'
       OR (used.entity_type <> 'ad_creative' AND NOT EXISTS (
            SELECT FROM things WHERE things.entity_type = used.entity_type AND things.id = used.entity_id))
"""

# The rule of shared.licensing.kyc once more, in another language on purpose.
_KYC = """
    WITH standing AS (
        SELECT store_id, bool_or(status = 'verified' AND expires_on >= :today) AS is_verified,
               bool_or(status = 'pending') AS is_pending,
               bool_or(status = 'expired' OR (status = 'verified' AND expires_on < :today)) AS is_expired,
               bool_or(status = 'rejected') AS is_rejected
        FROM licenses GROUP BY store_id
    ), mirrored AS (
        SELECT id, kyc_status, CASE WHEN is_verified THEN 'verified' WHEN is_pending THEN 'pending_verification'
                                    WHEN is_expired THEN 'expired' WHEN is_rejected THEN 'rejected'
                                    ELSE 'pending_verification' END AS should_be
        FROM stores LEFT JOIN standing ON standing.store_id = stores.id
        WHERE kyc_status <> 'suspended' AND deleted_at IS NULL
    )
    SELECT id AS subject, format('is %s, its licenses say %s', kyc_status, should_be) AS detail
    FROM mirrored WHERE kyc_status::text <> should_be
"""

# The rule of shared.billing.standing: one that was ended or paused serves to the end of what was paid.
_SUBSCRIPTIONS = """
    WITH paid AS (
        SELECT square_subscription_id, max(period_end_on) AS through_on
        FROM charges WHERE status = 'succeeded' GROUP BY square_subscription_id
    ), standing AS (
        SELECT held.store_id, held.status,
               CASE WHEN held.status IN ('canceled', 'paused') THEN coalesce(:today <= paid.through_on, false)
                    ELSE held.status IN ('trialing', 'active') END AS serves
        FROM subscriptions AS held LEFT JOIN paid USING (square_subscription_id)
    )
    SELECT stores.id AS subject,
           format('is %s, its subscription is %s', CASE WHEN subscription_active THEN 'active' ELSE 'inactive' END,
                  coalesce(standing.status::text, 'not there')) AS detail
    FROM stores LEFT JOIN standing ON standing.store_id = stores.id
    WHERE deleted_at IS NULL AND subscription_active <> coalesce(standing.serves, false)
"""

CHECKS = {
    "one_default_card": _CARDS,
    "one_active_cart": _CARTS,
    "no_orphan_attachments": _ATTACHMENTS,
    "kyc_mirrors_licenses": _KYC,
    "subscription_flag": _SUBSCRIPTIONS,
}

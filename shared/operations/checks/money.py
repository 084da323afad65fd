"""An order costs what its lines say, is paid as its intent says, and the ledger tells the same story."""

_LINES = """
    SELECT id AS subject,
           format('%s of %s cents less %s is told as %s less %s, %s in all', qty, unit_price_cents,
                  line_discount_cents, line_subtotal_cents, line_discount_cents, line_total_cents) AS detail
    FROM order_line_items
    WHERE line_subtotal_cents <> qty::bigint * unit_price_cents
       OR line_total_cents <> line_subtotal_cents - line_discount_cents
"""

_TOTALS = """
    WITH standing AS (
        SELECT order_id, sum(line_subtotal_cents) AS subtotal_cents, sum(line_discount_cents) AS discounts_cents
        FROM order_line_items WHERE status <> 'rejected' GROUP BY order_id
    )
    SELECT placed.id AS subject,
           format('subtotal %s, discounts %s, promo %s, total %s; its lines make %s less %s', placed.subtotal_cents,
                  placed.line_discounts_cents, placed.promo_discount_cents, placed.total_cents,
                  coalesce(standing.subtotal_cents, 0), coalesce(standing.discounts_cents, 0)) AS detail
    FROM vendor_orders AS placed LEFT JOIN standing ON standing.order_id = placed.id
    WHERE placed.subtotal_cents <> coalesce(standing.subtotal_cents, 0)
       OR placed.line_discounts_cents <> coalesce(standing.discounts_cents, 0)
       OR placed.promo_discount_cents < 0
       OR placed.total_cents
          <> placed.subtotal_cents - placed.line_discounts_cents - placed.promo_discount_cents
"""

# What the buyer still owes: nothing once it is settled or the order came to nothing.
_BALANCE = """
    SELECT placed.id AS subject,
           format('owes %s of %s cents while %s and %s', placed.balance_due_cents, placed.total_cents,
                  placed.status, intent.status) AS detail
    FROM vendor_orders AS placed JOIN payment_intents AS intent ON intent.order_id = placed.id
    WHERE placed.balance_due_cents <> CASE
        WHEN intent.status IN ('settled', 'paid') OR placed.status IN ('rejected', 'canceled', 'expired') THEN 0
        ELSE placed.total_cents END
"""

_INTENTS = """
    SELECT placed.id AS subject,
           CASE WHEN intent.id IS NULL THEN 'has no payment intent'
                ELSE format('%s cents by %s, %s; its intent has %s by %s, %s', placed.total_cents,
                            placed.payment_method, placed.status, intent.amount_cents, intent.method, intent.status)
           END AS detail
    FROM vendor_orders AS placed LEFT JOIN payment_intents AS intent ON intent.order_id = placed.id
    WHERE intent.id IS NULL OR intent.amount_cents <> placed.total_cents OR intent.method <> placed.payment_method
       OR (intent.status = 'paid') <> (placed.status = 'closed')
"""

_BOOKED = """
    WITH booked AS (
        SELECT order_id,
               coalesce(sum(amount_cents) FILTER (WHERE type = 'cash_collected'), 0) AS collected_cents,
               coalesce(sum(amount_cents) FILTER (WHERE type = 'vendor_payout'), 0) AS paid_out_cents,
               coalesce(sum(amount_cents) FILTER (WHERE type = 'adjustment'), 0) AS kept_cents,
               coalesce(sum(amount_cents) FILTER (WHERE type = 'refund'), 0) AS refunded_cents
        FROM ledger_events GROUP BY order_id
    )
"""

# Cash collected is what went back to the buyer, what went to the vendor, and what the platform kept: its fees
# and adjustments, of which launch has none.
_IDENTITY = f"""
    {_BOOKED}
    SELECT placed.id AS subject,
           format('collected %s, paid out %s, kept %s, refunded %s', coalesce(collected_cents, 0),
                  coalesce(paid_out_cents, 0), coalesce(kept_cents, 0), coalesce(refunded_cents, 0)) AS detail
    FROM vendor_orders AS placed LEFT JOIN booked ON booked.order_id = placed.id
    WHERE placed.status = 'closed'
      AND coalesce(collected_cents, 0)
          <> coalesce(paid_out_cents, 0) + coalesce(kept_cents, 0) + coalesce(refunded_cents, 0)
"""  # noqa: S608 - made of the text above

# The amount of an intent was collected once it is settled, and not a cent before; payouts wait until it is paid.
_LEDGER_INTENTS = f"""
    {_BOOKED}
    SELECT intent.order_id AS subject,
           format('%s of %s cents; the ledger has %s collected and %s paid out', intent.status, intent.amount_cents,
                  coalesce(collected_cents, 0), coalesce(paid_out_cents, 0)) AS detail
    FROM payment_intents AS intent LEFT JOIN booked USING (order_id)
    WHERE coalesce(collected_cents, 0)
          <> CASE WHEN intent.status IN ('settled', 'paid') THEN intent.amount_cents ELSE 0 END
       OR (intent.status <> 'paid' AND coalesce(paid_out_cents, 0) <> 0)
"""  # noqa: S608 - made of the text above

CHECKS = {
    "line_totals": _LINES,
    "order_totals_equal_lines": _TOTALS,
    "balance_due": _BALANCE,
    "intent_equals_order": _INTENTS,
    "ledger_identity": _IDENTITY,
    "ledger_equals_intents": _LEDGER_INTENTS,
}

# One order whose cash was collected was delivered four days ago; all others are younger.
provoke() {
    TOKEN=$(curl -si "$API/admin/auth/login" -H 'Content-Type: application/json' \
        -d "{\"email\": \"$ADMIN_EMAIL\", \"password\": \"$ADMIN_PASSWORD\"}" | sed -n 's/^x-pf-token: //Ip' | tr -d '\r')
    psql -qc "UPDATE vendor_orders SET delivered_at = now() - interval '2 days'
              WHERE status = 'delivered' AND delivered_at <= now() - interval '3 days'"
    psql -c "UPDATE vendor_orders SET delivered_at = now() - interval '4 days' WHERE id = (
                 SELECT placed.id FROM vendor_orders AS placed JOIN payment_intents AS intent ON intent.order_id = placed.id
                 WHERE placed.status = 'delivered' AND intent.status = 'settled' ORDER BY placed.id LIMIT 1)
             RETURNING order_number"
}

# Two events are written in a version that no release knows.
provoke() {
    spoilt=$(psql -tAc "SELECT string_agg(quote_literal(id::text), ',') FROM (
        SELECT DISTINCT ON (aggregate_id) id FROM outbox_events WHERE published_at IS NOT NULL
        AND event_type = 'order_created' LIMIT 2) AS chosen")
    psql -qc "UPDATE outbox_events SET version = 99, published_at = NULL, attempts = 0, created_at = now()
              WHERE id IN ($spoilt)"
    for _ in $(seq 120); do
        [ "$(psql -tAc "SELECT count(*) FROM outbox_dlq WHERE replayed_at IS NULL AND dismissed_at IS NULL")" = 2 ] && return
        sleep 0.5
    done
    echo "the publisher did not give up on them"; return 1
}

mend() {
    psql -c "UPDATE outbox_events SET version = 1 WHERE version = 99"
}

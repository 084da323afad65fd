# Pub/Sub refuses every call, while forty events that are six minutes old are due.
provoke() {
    curl -sS -X POST "$PUBSUB_CONTROL/faults" -d '{"refuse_publish": 1000000}'; echo
    psql -qc "UPDATE outbox_events SET published_at = NULL, attempts = 0, created_at = now() - interval '6 minutes'
              WHERE id IN (SELECT DISTINCT ON (aggregate_id) id FROM outbox_events
                           WHERE published_at IS NOT NULL AND event_type = 'order_created' LIMIT 40)"
    for _ in $(seq 240); do
        tried=$(psql -tAc "SELECT count(*) FROM outbox_events WHERE published_at IS NULL AND attempts > 0")
        [ "$tried" -gt 0 ] && return
        sleep 0.5
    done
    echo "nothing was tried"; return 1
}

mend() {
    curl -sS -X DELETE "$PUBSUB_CONTROL/faults"; echo
}

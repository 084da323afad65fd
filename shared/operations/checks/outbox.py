"""Every number that an aggregate gave to an event is there, unless retention may have removed the event."""

from shared.operations.retention import OUTBOX_KEPT_DAYS

# A missing event was younger than the one before it, or, as the first, than the aggregate itself, whose id (a
# UUIDv7) tells when it was made. When that bound is younger than what retention removes, the event was lost.
_GAPS = f"""
    WITH numbered AS (
        SELECT aggregate_type, aggregate_id, sequence, occurred_at FROM outbox_events
        UNION ALL SELECT aggregate_type, aggregate_id, last_sequence + 1, NULL FROM outbox_sequences
    ), spaced AS (
        SELECT aggregate_type, aggregate_id, sequence,
               coalesce(lag(sequence) OVER following, 0) AS former,
               coalesce(lag(occurred_at) OVER following,
                        CASE WHEN substr(aggregate_id::text, 15, 1) = '7' THEN to_timestamp(
                            ('x' || translate(left(aggregate_id::text, 13), '-', ''))::bit(48)::bigint / 1000.0)
                        END, '-infinity') AS lost_after
        FROM numbered
        WINDOW following AS (PARTITION BY aggregate_type, aggregate_id ORDER BY sequence)
    )
    SELECT aggregate_id AS subject,
           format('%s has no event %s to %s', aggregate_type, former + 1, sequence - 1) AS detail
    FROM spaced
    WHERE sequence > former + 1 AND lost_after > CAST(:now AS timestamptz) - interval '{OUTBOX_KEPT_DAYS} days'
"""  # noqa: S608 - the number is a constant of ours

_COUNTED = """
    SELECT told.id AS subject, format('is event %s of a %s that counted to %s', told.sequence, aggregate_type,
                                      coalesce(last_sequence, 0)) AS detail
    FROM outbox_events AS told LEFT JOIN outbox_sequences USING (aggregate_type, aggregate_id)
    WHERE told.sequence > coalesce(last_sequence, 0)
"""

CHECKS = {"outbox_without_gaps": _GAPS, "outbox_within_counters": _COUNTED}

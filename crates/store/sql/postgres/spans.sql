-- The spans of many series that overlap or touch a range each.
SELECT asked.question - 1, span.*
FROM unnest($1::int4[], $2::timestamptz[], $3::timestamptz[])
    WITH ORDINALITY AS asked (series_id, starts_at, ends_at, question)
CROSS JOIN LATERAL (
    SELECT starts_at, ends_at, state, rows, empty_checks::int8, fetched_at
    FROM barkeep.store_coverage
    WHERE series_id = asked.series_id
        AND starts_at <= asked.ends_at
        -- Spans are disjoint: the first to matter is the last that starts before the range.
        AND starts_at >= coalesce(
            (
                SELECT max(earlier.starts_at)
                FROM barkeep.store_coverage AS earlier
                WHERE earlier.series_id = asked.series_id AND earlier.starts_at < asked.starts_at
            ),
            asked.starts_at
        )
        AND ends_at >= asked.starts_at
    ORDER BY starts_at
) AS span

-- What many series cover of a range, in one answer.
SELECT asked.question - 1, span.*
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
    WITH ORDINALITY AS asked (symbol, timeframe, feed, adjustment, question)
JOIN barkeep.store_series AS series
    ON series.provider = $1
    AND series.symbol = asked.symbol
    AND series.timeframe = asked.timeframe
    AND series.feed = asked.feed
    AND series.adjustment = asked.adjustment
CROSS JOIN LATERAL (
    SELECT starts_at, ends_at, state, rows, empty_checks::int8, fetched_at
    FROM barkeep.store_coverage
    WHERE series_id = series.series_id
        AND starts_at < $7
        -- Spans are disjoint: the first to matter is the last that starts before the range.
        AND starts_at >= coalesce(
            (
                SELECT max(earlier.starts_at)
                FROM barkeep.store_coverage AS earlier
                WHERE earlier.series_id = series.series_id AND earlier.starts_at < $6
            ),
            $6
        )
        AND ends_at > $6
) AS span
ORDER BY asked.question, span.starts_at

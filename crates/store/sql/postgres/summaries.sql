-- How much each of many series has: counts from the ledger, ends from the key.
SELECT
    asked.question - 1,
    coalesce(ledger.rows, 0)::int8,
    (SELECT min(starts_at) FROM barkeep.store_bar WHERE series_id = series.series_id),
    (SELECT max(starts_at) FROM barkeep.store_bar WHERE series_id = series.series_id),
    ledger.fetched_at
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
    WITH ORDINALITY AS asked (symbol, timeframe, feed, adjustment, question)
JOIN barkeep.store_series AS series
    ON series.provider = $1
    AND series.symbol = asked.symbol
    AND series.timeframe = asked.timeframe
    AND series.feed = asked.feed
    AND series.adjustment = asked.adjustment
CROSS JOIN LATERAL (
    SELECT sum(rows) AS rows, max(fetched_at) AS fetched_at
    FROM barkeep.store_coverage
    WHERE series_id = series.series_id
) AS ledger

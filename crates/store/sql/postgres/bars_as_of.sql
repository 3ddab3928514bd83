-- The first bars of a series within a range, as they were known at $8. Of a bar there is one version that was known then
-- and not replaced yet; should the server's clock have stepped back in between there may be two, and the last one counts.
WITH asked AS (
    SELECT series_id
    FROM barkeep.store_series
    WHERE provider = $1 AND symbol = $2 AND timeframe = $3 AND feed = $4 AND adjustment = $5
),
version AS (
    SELECT starts_at, open, high, low, close, volume, vwap, trade_count, batch_id, NULL::int4 AS replaced_by
    FROM barkeep.store_bar
    WHERE series_id = (SELECT series_id FROM asked) AND starts_at >= $6 AND starts_at < $7
    UNION ALL
    SELECT starts_at, open, high, low, close, volume, vwap, trade_count, batch_id, replaced_by
    FROM barkeep.store_former_bar
    WHERE series_id = (SELECT series_id FROM asked) AND starts_at >= $6 AND starts_at < $7
)
SELECT DISTINCT ON (starts_at) starts_at, open, high, low, close, volume, vwap, trade_count
FROM version
JOIN barkeep.store_batch AS known ON known.batch_id = version.batch_id
LEFT JOIN barkeep.store_batch AS replaced ON replaced.batch_id = version.replaced_by
WHERE known.fetched_at <= $8 AND (version.replaced_by IS NULL OR replaced.fetched_at > $8)
ORDER BY starts_at, version.batch_id DESC
LIMIT $9

-- The first bars of a series within a range, as they were known at ?8. Of a bar there is one version that was known then
-- and not replaced yet; should the clock have stepped back in between there may be two, and the last one counts: beside
-- max(), SQLite takes the other columns from the row that has it.
WITH asked AS (
    SELECT series_id
    FROM store_series
    WHERE provider = ?1 AND symbol = ?2 AND timeframe = ?3 AND feed = ?4 AND adjustment = ?5
),
version AS (
    SELECT starts_at, open, high, low, close, volume, vwap, trade_count, batch_id, NULL AS replaced_by
    FROM store_bar
    WHERE series_id = (SELECT series_id FROM asked) AND starts_at >= ?6 AND starts_at < ?7
    UNION ALL
    SELECT starts_at, open, high, low, close, volume, vwap, trade_count, batch_id, replaced_by
    FROM store_former_bar
    WHERE series_id = (SELECT series_id FROM asked) AND starts_at >= ?6 AND starts_at < ?7
)
SELECT starts_at, open, high, low, close, volume, vwap, trade_count, max(version.batch_id)
FROM version
JOIN store_batch AS known ON known.batch_id = version.batch_id
LEFT JOIN store_batch AS replaced ON replaced.batch_id = version.replaced_by
WHERE known.fetched_at <= ?8 AND (version.replaced_by IS NULL OR replaced.fetched_at > ?8)
GROUP BY starts_at
ORDER BY starts_at
LIMIT ?9

-- The first bars of a series within a range.
SELECT starts_at, open, high, low, close, volume, vwap, trade_count
FROM barkeep.store_bar
WHERE series_id = (
    SELECT series_id
    FROM barkeep.store_series
    WHERE provider = $1 AND symbol = $2 AND timeframe = $3 AND feed = $4 AND adjustment = $5
)
    AND starts_at >= $6 AND starts_at < $7
ORDER BY starts_at
LIMIT $8

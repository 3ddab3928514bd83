-- The bars of a series within a range, to be compared with a page.
SELECT starts_at, open, high, low, close, volume, vwap, trade_count
FROM store_bar
WHERE series_id = ?1 AND starts_at >= ?2 AND starts_at < ?3
ORDER BY starts_at

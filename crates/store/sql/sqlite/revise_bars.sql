-- Other values for a bar that is there.
UPDATE store_bar
SET open = ?2, high = ?3, low = ?4, close = ?5, volume = ?6, vwap = ?7, trade_count = ?8, batch_id = ?10
WHERE series_id = ?9 AND starts_at = ?1

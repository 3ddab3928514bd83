-- Other values for a bar that is there.
UPDATE store_bar
SET open = ?3, high = ?4, low = ?5, close = ?6, volume = ?7, vwap = ?8, trade_count = ?9, batch_id = ?10
WHERE series_id = ?1 AND starts_at = ?2

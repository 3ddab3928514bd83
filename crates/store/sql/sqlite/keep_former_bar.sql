-- Keeps the values of a bar that is about to be revised.
INSERT INTO store_former_bar
    (series_id, starts_at, open, high, low, close, volume, vwap, trade_count, batch_id, replaced_by)
SELECT series_id, starts_at, open, high, low, close, volume, vwap, trade_count, batch_id, ?3
FROM store_bar
WHERE series_id = ?1 AND starts_at = ?2

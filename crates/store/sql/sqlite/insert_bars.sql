-- Bars of one series and page that are not there yet. The row is repeated for more of them, since a statement a row is ten
-- times slower, and the ids are numbered after the rows: bound once, not in each.
WITH bar (starts_at, open, high, low, close, volume, vwap, trade_count) AS (
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
)
INSERT INTO store_bar (starts_at, open, high, low, close, volume, vwap, trade_count, series_id, batch_id)
SELECT starts_at, open, high, low, close, volume, vwap, trade_count, ?9, ?10 FROM bar

-- Bars of a page that are not there yet, of whichever series. The row is repeated for more of them, since a statement a row is
-- ten times slower. The ids are bound in every row: named, they would be looked for by name at every execution.
INSERT INTO store_bar (starts_at, open, high, low, close, volume, vwap, trade_count, series_id, batch_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- One row of bars that are not there yet; further rows are added to it, since a statement a row is ten times slower.
INSERT INTO store_bar (series_id, starts_at, open, high, low, close, volume, vwap, trade_count, batch_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

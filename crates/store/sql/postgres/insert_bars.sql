-- Bars that are not there yet, straight into the keyed table: a staging table and ON CONFLICT cost twice as much.
COPY barkeep.store_bar
    (starts_at, open, high, low, close, volume, vwap, trade_count, series_id, batch_id)
FROM STDIN (FORMAT BINARY)

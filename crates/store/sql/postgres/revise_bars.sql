-- Other values for bars that are there.
UPDATE barkeep.store_bar AS bar
SET open = new.open,
    high = new.high,
    low = new.low,
    close = new.close,
    volume = new.volume,
    vwap = new.vwap,
    trade_count = new.trade_count,
    batch_id = $10
FROM unnest(
    $1::int4[], $2::timestamptz[], $3::float8[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::float8[],
    $9::int8[]
) AS new (series_id, starts_at, open, high, low, close, volume, vwap, trade_count)
WHERE bar.series_id = new.series_id AND bar.starts_at = new.starts_at

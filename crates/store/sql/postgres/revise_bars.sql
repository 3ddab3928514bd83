-- Other values for bars that are there. The former ones are kept where the provider's are: $11.
WITH new AS MATERIALIZED (
    SELECT *
    FROM unnest(
        $1::int4[], $2::timestamptz[], $3::float8[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::float8[],
        $9::int8[]
    ) AS new (series_id, starts_at, open, high, low, close, volume, vwap, trade_count)
),
-- Sees the bars as they are before the update.
former AS (
    INSERT INTO barkeep.store_former_bar
        (starts_at, open, high, low, close, volume, vwap, trade_count, series_id, batch_id, replaced_by)
    SELECT
        bar.starts_at, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.trade_count, bar.series_id,
        bar.batch_id, $10
    FROM new
    JOIN barkeep.store_bar AS bar ON bar.series_id = new.series_id AND bar.starts_at = new.starts_at
    WHERE EXISTS (SELECT 1 FROM barkeep.store_history WHERE provider = $11)
)
UPDATE barkeep.store_bar AS bar
SET open = new.open,
    high = new.high,
    low = new.low,
    close = new.close,
    volume = new.volume,
    vwap = new.vwap,
    trade_count = new.trade_count,
    batch_id = $10
FROM new
WHERE bar.series_id = new.series_id AND bar.starts_at = new.starts_at

-- The bars of many series within a range each, asked for as a JSON array of [series, start, end], to be compared with a page.
SELECT asked.key, bar.starts_at, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.trade_count
FROM json_each(?1) AS asked
-- One walk along the key for each series: rows come in its order.
CROSS JOIN store_bar AS bar
WHERE bar.series_id = asked.value ->> 0 AND bar.starts_at >= asked.value ->> 1 AND bar.starts_at < asked.value ->> 2

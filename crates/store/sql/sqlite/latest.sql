-- The last bar of each of many series.
SELECT asked.key, bar.starts_at, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.trade_count
FROM json_each(?2) AS asked
CROSS JOIN store_series AS series
CROSS JOIN store_bar AS bar
WHERE series.provider = ?1
  AND series.symbol = asked.value ->> 0
  AND series.timeframe = asked.value ->> 1
  AND series.feed = asked.value ->> 2
  AND series.adjustment = asked.value ->> 3
  AND bar.series_id = series.series_id
  AND bar.starts_at = (SELECT max(starts_at) FROM store_bar WHERE series_id = series.series_id)

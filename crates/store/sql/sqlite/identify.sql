-- The ids of series asked for as a JSON array of [symbol, timeframe, feed, adjustment].
SELECT asked.key, series.series_id, series.revision
FROM json_each(?2) AS asked
CROSS JOIN store_series AS series
WHERE series.provider = ?1
  AND series.symbol = asked.value ->> 0
  AND series.timeframe = asked.value ->> 1
  AND series.feed = asked.value ->> 2
  AND series.adjustment = asked.value ->> 3

-- The years of many series in which bars were rewritten, with their marks.
SELECT asked.key, rewritten.year, rewritten.mark
FROM json_each(?2) AS asked
CROSS JOIN store_series AS series
CROSS JOIN store_rewrite AS rewritten
WHERE series.provider = ?1
  AND series.symbol = asked.value ->> 0
  AND series.timeframe = asked.value ->> 1
  AND series.feed = asked.value ->> 2
  AND series.adjustment = asked.value ->> 3
  AND rewritten.series_id = series.series_id
ORDER BY asked.key, rewritten.year

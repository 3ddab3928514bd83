-- The ids of series asked for as a JSON array of [symbol, timeframe, feed, adjustment]; and whether a page of the digest ?3
-- was stored when their revisions came to the same sum: nothing that it said was revised since.
SELECT
    asked.key, series.series_id, series.revision,
    sum(series.revision) OVER () IN (SELECT revision FROM store_batch WHERE digest = ?3)
FROM json_each(?2) AS asked
CROSS JOIN store_series AS series
WHERE series.provider = ?1
  AND series.symbol = asked.value ->> 0
  AND series.timeframe = asked.value ->> 1
  AND series.feed = asked.value ->> 2
  AND series.adjustment = asked.value ->> 3

-- How much each of many series has: counts from the ledger, ends from the key.
SELECT
    asked.key,
    (SELECT coalesce(sum(rows), 0) FROM store_coverage WHERE series_id = series.series_id),
    (SELECT min(starts_at) FROM store_bar WHERE series_id = series.series_id),
    (SELECT max(starts_at) FROM store_bar WHERE series_id = series.series_id),
    (SELECT max(fetched_at) FROM store_coverage WHERE series_id = series.series_id)
FROM json_each(?2) AS asked
CROSS JOIN store_series AS series
WHERE series.provider = ?1
  AND series.symbol = asked.value ->> 0
  AND series.timeframe = asked.value ->> 1
  AND series.feed = asked.value ->> 2
  AND series.adjustment = asked.value ->> 3

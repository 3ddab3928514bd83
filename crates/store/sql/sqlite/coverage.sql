-- What many series cover, in one answer.
SELECT asked.key, span.starts_at, span.ends_at, span.state, span.rows, span.empty_checks, span.fetched_at
FROM json_each(?2) AS asked
CROSS JOIN store_series AS series
CROSS JOIN store_coverage AS span
WHERE series.provider = ?1
  AND series.symbol = asked.value ->> 0
  AND series.timeframe = asked.value ->> 1
  AND series.feed = asked.value ->> 2
  AND series.adjustment = asked.value ->> 3
  AND span.series_id = series.series_id
ORDER BY asked.key, span.starts_at

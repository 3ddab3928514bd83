-- What many series cover of a range, in one answer.
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
  AND span.starts_at < ?4
  -- Spans are disjoint: the first to matter is the last that starts before the range.
  AND span.starts_at >= coalesce(
      (
          SELECT max(earlier.starts_at)
          FROM store_coverage AS earlier
          WHERE earlier.series_id = series.series_id AND earlier.starts_at < ?3
      ),
      ?3
  )
  AND span.ends_at > ?3
ORDER BY asked.key, span.starts_at

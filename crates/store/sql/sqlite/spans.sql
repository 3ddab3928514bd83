-- The spans of many series that overlap or touch a range each, asked for as a JSON array of [series, start, end].
SELECT
    asked.key, span.starts_at, span.ends_at, span.state, span.rows, span.empty_checks, span.fetched_at
FROM json_each(?1) AS asked
CROSS JOIN store_coverage AS span
WHERE span.series_id = asked.value ->> 0
  AND span.starts_at <= asked.value ->> 2
  -- Spans are disjoint: the first to matter is the last that starts before the range.
  AND span.starts_at >= coalesce(
      (
          SELECT max(earlier.starts_at)
          FROM store_coverage AS earlier
          WHERE earlier.series_id = asked.value ->> 0 AND earlier.starts_at < asked.value ->> 1
      ),
      asked.value ->> 1
  )
  AND span.ends_at >= asked.value ->> 1

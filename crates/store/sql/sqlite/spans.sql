-- The spans that overlap or touch a range.
SELECT starts_at, ends_at, state, rows, empty_checks, fetched_at
FROM store_coverage
WHERE series_id = ?1
  AND starts_at <= ?3
  -- Spans are disjoint: the first to matter is the last that starts before the range.
  AND starts_at >= coalesce(
      (SELECT max(starts_at) FROM store_coverage WHERE series_id = ?1 AND starts_at < ?2), ?2
  )
  AND ends_at >= ?2
ORDER BY starts_at

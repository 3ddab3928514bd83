-- Takes back what coverage says of the time before ?2; a span that goes on after it keeps the rest, less the bars
-- that are to go.
DELETE FROM store_coverage
WHERE ends_at <= ?2 AND series_id IN (SELECT series_id FROM store_series WHERE provider = ?1);

UPDATE store_coverage
SET starts_at = ?2,
    rows = rest.rows,
    empty_checks = CASE WHEN rest.rows > 0 THEN 0 ELSE max(empty_checks, 1) END
FROM (
    SELECT
        span.series_id AS id,
        span.starts_at AS start,
        span.rows - (
            SELECT count(*)
            FROM store_bar AS bar
            WHERE bar.series_id = span.series_id AND bar.starts_at >= span.starts_at AND bar.starts_at < ?2
        ) AS rows
    FROM store_coverage AS span
    WHERE span.starts_at < ?2
) AS rest
WHERE store_coverage.series_id = rest.id
  AND store_coverage.starts_at = rest.start
  AND store_coverage.series_id IN (SELECT series_id FROM store_series WHERE provider = ?1)

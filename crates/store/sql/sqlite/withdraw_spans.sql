-- Takes back what coverage says of the time before ?2; a span that goes on after it keeps the rest, less the bars
-- that are to go. What earlier pages proved of these series is true no more.
UPDATE store_series
SET revision = revision + 1
WHERE provider = ?1
  AND EXISTS (
      SELECT 1 FROM store_coverage AS span WHERE span.series_id = store_series.series_id AND span.starts_at < ?2
  );

-- Of the years of which something goes.
INSERT INTO store_rewrite (series_id, year, mark)
SELECT span.series_id, gone.value, lower(hex(randomblob(16)))
FROM store_series AS series
JOIN store_coverage AS span USING (series_id)
JOIN (
    WITH RECURSIVE year (value) AS (SELECT 1970 UNION ALL SELECT value + 1 FROM year WHERE value < 2100)
    SELECT value FROM year
) AS gone
    ON gone.value BETWEEN CAST(strftime('%Y', span.starts_at, 'unixepoch') AS INTEGER)
        AND CAST(strftime('%Y', min(span.ends_at, ?2), 'unixepoch') AS INTEGER)
WHERE series.provider = ?1 AND span.starts_at < ?2
ON CONFLICT (series_id, year) DO UPDATE SET mark = excluded.mark;

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

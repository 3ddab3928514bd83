-- What earlier pages proved is true no more of the series that have bars or coverage before ?2.
UPDATE store_series
SET revision = revision + 1
WHERE provider = ?1
  AND (
      EXISTS (SELECT 1 FROM store_bar AS bar WHERE bar.series_id = store_series.series_id AND bar.starts_at < ?2)
      OR EXISTS (
          SELECT 1 FROM store_coverage AS span WHERE span.series_id = store_series.series_id AND span.starts_at < ?2
      )
  );

-- Of the years of which something goes: those of spans that start before ?2, and its own, of which some bars stay, though
-- maybe none that is covered.
INSERT INTO store_rewrite (series_id, year, mark)
SELECT series_id, year, lower(hex(randomblob(16)))
FROM (
    SELECT span.series_id, gone.value AS year
    FROM store_series AS series
    JOIN store_coverage AS span USING (series_id)
    JOIN (
        WITH RECURSIVE year (value) AS (SELECT 1970 UNION ALL SELECT value + 1 FROM year WHERE value < 2100)
        SELECT value FROM year
    ) AS gone
        ON gone.value BETWEEN CAST(strftime('%Y', span.starts_at, 'unixepoch') AS INTEGER)
            AND CAST(strftime('%Y', min(span.ends_at, ?2), 'unixepoch') AS INTEGER)
    WHERE series.provider = ?1 AND span.starts_at < ?2
    UNION
    SELECT series.series_id, CAST(strftime('%Y', ?2, 'unixepoch') AS INTEGER)
    FROM store_series AS series
    WHERE series.provider = ?1
      AND EXISTS (SELECT 1 FROM store_bar AS bar WHERE bar.series_id = series.series_id AND bar.starts_at < ?2)
)
WHERE true
ON CONFLICT (series_id, year) DO UPDATE SET mark = excluded.mark

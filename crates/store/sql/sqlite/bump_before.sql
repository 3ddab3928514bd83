-- What earlier pages proved is true no more of the series that have bars before ?2.
UPDATE store_series
SET revision = revision + 1
WHERE provider = ?1
  AND EXISTS (SELECT 1 FROM store_bar AS bar WHERE bar.series_id = store_series.series_id AND bar.starts_at < ?2);

-- Whole years before it go; of its own year some bars stay, though maybe none that is covered.
INSERT INTO store_rewrite (series_id, year, mark)
SELECT series.series_id, CAST(strftime('%Y', ?2, 'unixepoch') AS INTEGER), lower(hex(randomblob(16)))
FROM store_series AS series
WHERE series.provider = ?1
  AND EXISTS (SELECT 1 FROM store_bar AS bar WHERE bar.series_id = series.series_id AND bar.starts_at < ?2)
ON CONFLICT (series_id, year) DO UPDATE SET mark = excluded.mark

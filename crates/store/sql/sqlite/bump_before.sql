-- What earlier pages proved is true no more of the series that have bars or coverage before ?2.
UPDATE store_series
SET revision = revision + 1
WHERE provider = ?1
  AND (
      EXISTS (SELECT 1 FROM store_bar AS bar WHERE bar.series_id = store_series.series_id AND bar.starts_at < ?2)
      OR EXISTS (
          SELECT 1 FROM store_coverage AS span WHERE span.series_id = store_series.series_id AND span.starts_at < ?2
      )
  )

-- What earlier pages said is true no more of the series that have bars before $2.
UPDATE barkeep.store_series AS series
SET revision = revision + 1
WHERE provider = $1
    AND EXISTS (SELECT 1 FROM barkeep.store_bar AS bar WHERE bar.series_id = series.series_id AND bar.starts_at < $2)

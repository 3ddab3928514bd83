-- What earlier pages proved is true no more of the series that have bars or coverage before $2.
UPDATE barkeep.store_series AS series
SET revision = revision + 1
WHERE provider = $1
    AND (
        EXISTS (SELECT 1 FROM barkeep.store_bar AS bar WHERE bar.series_id = series.series_id AND bar.starts_at < $2)
        OR EXISTS (
            SELECT 1 FROM barkeep.store_coverage AS span WHERE span.series_id = series.series_id AND span.starts_at < $2
        )
    )

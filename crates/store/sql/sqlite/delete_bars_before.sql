-- Deletes up to ?3 of a provider's bars that start before ?2, along the key.
DELETE FROM store_bar
WHERE (series_id, starts_at) IN (
    SELECT bar.series_id, bar.starts_at
    FROM store_series AS series
    CROSS JOIN store_bar AS bar
    WHERE series.provider = ?1 AND bar.series_id = series.series_id AND bar.starts_at < ?2
    LIMIT ?3
)

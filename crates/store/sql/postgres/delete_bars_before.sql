-- Deletes up to $3 of a provider's bars that start before $2, along the key.
DELETE FROM barkeep.store_bar AS bar
USING (
    SELECT old.series_id, old.starts_at
    FROM barkeep.store_series AS series
    CROSS JOIN LATERAL (
        SELECT series_id, starts_at
        FROM barkeep.store_bar
        WHERE series_id = series.series_id AND starts_at < $2
        ORDER BY starts_at
        LIMIT $3
    ) AS old
    WHERE series.provider = $1
    LIMIT $3
) AS old
-- Said of the bars too, so that later years are not looked at.
WHERE bar.series_id = old.series_id AND bar.starts_at = old.starts_at AND bar.starts_at < $2

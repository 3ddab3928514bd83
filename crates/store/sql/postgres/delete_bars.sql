-- Deletes bars of a series.
DELETE FROM barkeep.store_bar WHERE series_id = $1 AND starts_at = ANY($2::timestamptz[])

-- Deletes the former values of a provider's bars that start before ?2.
DELETE FROM store_former_bar
WHERE starts_at < ?2 AND series_id IN (SELECT series_id FROM store_series WHERE provider = ?1)

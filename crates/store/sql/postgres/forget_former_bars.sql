-- Deletes the former values of a provider's bars.
DELETE FROM barkeep.store_former_bar
WHERE series_id IN (SELECT series_id FROM barkeep.store_series WHERE provider = $1)

-- A span that was joined to another.
DELETE FROM store_coverage WHERE series_id = ?1 AND starts_at = ?2

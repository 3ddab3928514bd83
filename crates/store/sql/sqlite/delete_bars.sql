-- Deletes a bar.
DELETE FROM store_bar WHERE series_id = ?1 AND starts_at = ?2

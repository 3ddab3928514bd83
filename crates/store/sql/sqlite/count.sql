-- How many bars a series has within a range.
SELECT count(*) FROM store_bar WHERE series_id = ?1 AND starts_at >= ?2 AND starts_at < ?3

-- What names the latest page, or the page of that number if ?1 is one: no two stores have the same.
SELECT batch_id || '@' || fetched_at
FROM store_batch
WHERE ?1 IS NULL OR batch_id = ?1
ORDER BY batch_id DESC
LIMIT 1

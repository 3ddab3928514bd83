-- Forgets up to $3 jobs that ended long ago, with their attempts.
DELETE FROM queue_attempt
WHERE id IN (SELECT id FROM queue_done WHERE finished_at < $1 - $2 ORDER BY id LIMIT $3);

DELETE FROM queue_done
WHERE id IN (SELECT id FROM queue_done WHERE finished_at < $1 - $2 ORDER BY id LIMIT $3);

SELECT changes()

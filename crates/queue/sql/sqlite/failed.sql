-- The jobs of a kind that ended without success, latest first.
SELECT
    id, parent, kind, key, group_name, payload, result, outcome, failures, crashes, coalesce(cost, 0),
    worker, code, message, created_at, finished_at
FROM queue_done
WHERE kind = $1 AND outcome <> 0
ORDER BY finished_at DESC, id DESC
LIMIT $2

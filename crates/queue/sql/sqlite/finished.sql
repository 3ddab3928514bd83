-- Jobs that have ended, by id.
SELECT
    id, parent, kind, key, group_name, payload, result, outcome, failures, crashes, coalesce(cost, 0),
    worker, code, message, created_at, finished_at
FROM queue_done
WHERE id IN (SELECT value FROM json_each($1))
ORDER BY id

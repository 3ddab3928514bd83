-- Jobs that have ended, by id.
SELECT
    id, parent, kind, key, group_name, payload::text, result::text, outcome, failures, crashes, coalesce(cost, 0),
    worker, code, message, created_at, finished_at
FROM barkeep.queue_done
WHERE id = ANY($1)
ORDER BY id

-- Moves jobs to another place in the order in which they are served. $1: the jobs, $2: their new rank.
UPDATE queue_ready
SET rank = $2
WHERE rank <> $2 AND (kind, rank, run_at, id) IN (
    SELECT kind, rank, run_at, id
    FROM queue_job
    WHERE id IN (SELECT value FROM json_each($1))
);

UPDATE queue_job
SET rank = $2
WHERE rank <> $2 AND id IN (SELECT value FROM json_each($1))
RETURNING id

-- Moves jobs to another place in the order in which they are served. $1: the jobs, $2: their new rank.
WITH chosen AS MATERIALIZED (
    SELECT id, kind, rank, run_at FROM barkeep.queue_job WHERE id = ANY ($1) AND rank <> $2
),
taken AS (
    DELETE FROM barkeep.queue_ready AS ready
    USING chosen
    WHERE (ready.kind, ready.rank, ready.run_at, ready.id) = (chosen.kind, chosen.rank, chosen.run_at, chosen.id)
    RETURNING ready.id, ready.run_at, ready.kind, ready.group_name
),
placed AS (
    INSERT INTO barkeep.queue_ready (id, run_at, rank, kind, group_name)
    SELECT id, run_at, $2, kind, group_name FROM taken
)
UPDATE barkeep.queue_job AS job
SET rank = $2
FROM chosen
WHERE job.id = chosen.id
RETURNING job.id

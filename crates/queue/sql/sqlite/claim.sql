-- Leases the jobs that come first.
INSERT INTO queue_lease (id, started_at, lease_until, token, worker)
SELECT id, $1, $1 + $4, $5, $6
FROM queue_ready
WHERE kind = $2 AND run_at <= $1
    AND NOT EXISTS (SELECT 1 FROM queue_pause WHERE kind = $2)
    AND coalesce(group_name NOT IN (SELECT group_name FROM queue_pause WHERE kind = ''), true)
ORDER BY rank, run_at, id
LIMIT $3;

DELETE FROM queue_ready
WHERE (kind, rank, run_at, id) IN (
    SELECT job.kind, job.rank, job.run_at, job.id
    FROM queue_lease JOIN queue_job AS job USING (id)
    WHERE token = $5
);

SELECT
    job.id, lease.lease_until, job.kind, job.key, job.group_name, job.payload,
    job.rank, job.failures, job.max_attempts, job.crashes, job.run_at
FROM queue_lease AS lease JOIN queue_job AS job USING (id)
WHERE lease.token = $5
ORDER BY job.rank, job.run_at, job.id

-- Cancels live jobs. Answers how many ended, how many workers will be told, and, as on PostgreSQL, how many were on
-- their way from one to the other: none, with a single writer.
INSERT INTO queue_verdict
    (id, token, started_at, worker, ending, failures, crashes, code, message, outcome, wait_us, cost)
SELECT
    job.id, '', 0, '', CASE WHEN lease.id IS NULL THEN 'f' ELSE 'r' END,
    job.failures, job.crashes, coalesce(job.code, 'CANCELLED'), job.message, 2, 0, 0
FROM queue_job AS job
LEFT JOIN queue_lease AS lease ON lease.id = job.id
WHERE ($2 IS NULL OR job.id IN (SELECT value FROM json_each($2))) AND ($3 IS NULL OR job.kind = $3)
    AND ($4 IS NULL OR job.group_name = $4) AND ($5 IS NULL OR job.code = $5);

UPDATE queue_lease
SET cancel_requested = true
WHERE id IN (SELECT id FROM queue_verdict WHERE ending = 'r');

DELETE FROM queue_ready
WHERE (kind, rank, run_at, id) IN (
    SELECT job.kind, job.rank, job.run_at, job.id
    FROM queue_verdict JOIN queue_job AS job USING (id)
    WHERE ending = 'f'
);

INSERT INTO queue_done
    (id, parent, created_at, finished_at, outcome, rank, max_attempts, failures, crashes,
     kind, key, group_name, code, message, payload)
SELECT
    job.id, job.parent, job.created_at, $1, 2, job.rank, job.max_attempts, job.failures, job.crashes,
    job.kind, job.key, job.group_name, verdict.code, job.message, job.payload
FROM queue_verdict AS verdict JOIN queue_job AS job USING (id)
WHERE ending = 'f';

INSERT INTO queue_tally (hour, jobs, cost, outcome, kind, group_name)
SELECT $1 - $1 % 3600000000, count(*), 0, 2, job.kind, job.group_name
FROM queue_verdict AS verdict JOIN queue_job AS job USING (id)
WHERE ending = 'f'
GROUP BY job.kind, job.group_name
ON CONFLICT (hour, kind, outcome, coalesce(group_name, '')) DO UPDATE
SET jobs = jobs + excluded.jobs;

DELETE FROM queue_job
WHERE id IN (SELECT id FROM queue_verdict WHERE ending = 'f');

SELECT count(*) FILTER (WHERE ending = 'f'), count(*) FILTER (WHERE ending = 'r'), 0
FROM queue_verdict;

DELETE FROM queue_verdict

-- Ends jobs that were done under leases that still stand. Answers those leases.
INSERT INTO queue_done
    (id, parent, created_at, started_at, finished_at, cost, outcome, rank, max_attempts, failures, crashes,
     kind, key, group_name, worker, result)
SELECT
    job.id, job.parent, job.created_at, lease.started_at, $1, nullif(done.value ->> 'cost', 0), 0,
    job.rank, job.max_attempts, job.failures, job.crashes,
    job.kind, job.key, job.group_name, lease.worker, done.value ->> 'result'
FROM json_each($2) AS done
JOIN queue_lease AS lease ON lease.id = done.value ->> 'id' AND lease.token = done.value ->> 'token'
JOIN queue_job AS job ON job.id = lease.id;

INSERT INTO queue_tally (hour, jobs, cost, outcome, kind, group_name)
SELECT $1 - $1 % 3600000000, count(*), sum(done.value ->> 'cost'), 0, job.kind, job.group_name
FROM json_each($2) AS done
JOIN queue_lease AS lease ON lease.id = done.value ->> 'id' AND lease.token = done.value ->> 'token'
JOIN queue_job AS job ON job.id = lease.id
GROUP BY job.kind, job.group_name
ON CONFLICT (hour, kind, outcome, coalesce(group_name, '')) DO UPDATE
SET jobs = jobs + excluded.jobs, cost = cost + excluded.cost;

DELETE FROM queue_job
WHERE id IN (
    SELECT lease.id
    FROM json_each($2) AS done
    JOIN queue_lease AS lease ON lease.id = done.value ->> 'id' AND lease.token = done.value ->> 'token'
);

DELETE FROM queue_lease
WHERE (id, token) IN (SELECT value ->> 'id', value ->> 'token' FROM json_each($2))
RETURNING id, token

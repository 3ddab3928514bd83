-- Every live job of a kind. State: 0 waiting, 1 ready, 2 running.
SELECT
    job.id, job.key, job.group_name, job.payload, job.rank, job.failures, job.code,
    CASE WHEN lease.id IS NOT NULL THEN 2 WHEN job.run_at <= $1 THEN 1 ELSE 0 END
FROM queue_job AS job
LEFT JOIN queue_lease AS lease ON lease.id = job.id
WHERE job.kind = $2
ORDER BY job.id

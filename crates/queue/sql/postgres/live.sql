-- Every live job of a kind. State: 0 waiting, 1 ready, 2 running.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now)
SELECT
    job.id, job.key, job.group_name, job.payload::text, job.rank, job.failures, job.code,
    CASE WHEN lease.id IS NOT NULL THEN 2 WHEN job.run_at <= now THEN 1 ELSE 0 END
FROM clock, barkeep.queue_job AS job
LEFT JOIN barkeep.queue_lease AS lease ON lease.id = job.id
WHERE job.kind = $2
ORDER BY job.id

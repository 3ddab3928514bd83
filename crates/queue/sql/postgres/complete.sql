-- Ends jobs that were done under leases that still stand. Answers those leases.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now),
ended AS (
    DELETE FROM barkeep.queue_lease AS lease
    USING unnest($2::bigint[], $3::uuid[], $4::text[], $5::bigint[]) AS done (id, token, result, cost)
    WHERE lease.id = done.id AND lease.token = done.token
    RETURNING lease.id, lease.token, lease.started_at, lease.worker, done.result, done.cost
),
removed AS (
    DELETE FROM barkeep.queue_job AS job
    USING ended
    WHERE job.id = ended.id
    RETURNING
        job.id, job.parent, job.created_at, ended.started_at, ended.cost, job.rank, job.max_attempts,
        job.failures, job.crashes, job.kind, job.key, job.group_name, ended.worker, ended.result
),
kept AS (
    INSERT INTO barkeep.queue_done
        (id, parent, created_at, started_at, finished_at, cost, outcome, rank, max_attempts, failures, crashes,
         kind, key, group_name, worker, result)
    SELECT
        id, parent, created_at, started_at, now, nullif(cost, 0), 0, rank, max_attempts, failures, crashes,
        kind, key, group_name, worker, result::json
    FROM removed, clock
),
summed AS (
    SELECT kind, group_name, count(*) AS jobs, sum(cost) AS cost FROM removed GROUP BY kind, group_name
),
counted AS (
    INSERT INTO barkeep.queue_tally (hour, jobs, cost, outcome, kind, group_name)
    SELECT date_bin('1 hour', now, 'epoch'), jobs, cost, 0, kind, group_name
    FROM summed, clock
),
freed AS (
    INSERT INTO barkeep.queue_use (jobs, kind, group_name)
    SELECT -sum(summed.jobs), cap.kind, cap.group_name
    FROM summed JOIN barkeep.queue_cap AS cap
        ON cap.kind IN ('', summed.kind) AND (cap.group_name = '' OR cap.group_name = summed.group_name)
    GROUP BY cap.kind, cap.group_name
)
SELECT id, token FROM ended

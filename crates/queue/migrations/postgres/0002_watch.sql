-- Signs of life: who said last that something was done, and what came of it. A row a name, so it stays small.
CREATE TABLE barkeep.queue_beat (
    name text PRIMARY KEY,
    beat_at timestamptz NOT NULL,
    holder text NOT NULL,
    note json NOT NULL
) WITH (fillfactor = 50);

-- What other tools may rely on. The tables may change; a view of a version does not: a change makes a version more.
-- A job's cost is counted in requests, and its group is the definition that it belongs to, where barkeep fills bars.
CREATE VIEW barkeep.jobs_v1 AS
SELECT
    job.id, job.kind, job.group_name AS definition, job.key,
    CASE WHEN lease.id IS NOT NULL THEN 'running' WHEN job.run_at <= statement_timestamp() THEN 'ready' ELSE 'waiting' END
        AS state,
    -job.rank AS priority, job.failures, job.crashes, job.code, job.message,
    lease.worker, job.created_at, job.run_at, lease.started_at, lease.lease_until, NULL::timestamptz AS finished_at,
    NULL::bigint AS requests, job.payload, NULL::json AS result
FROM barkeep.queue_job AS job
LEFT JOIN barkeep.queue_lease AS lease USING (id)
UNION ALL
SELECT
    id, kind, group_name, key,
    CASE outcome WHEN 0 THEN 'succeeded' WHEN 1 THEN 'failed' ELSE 'cancelled' END,
    -rank, failures, crashes, code, message,
    worker, created_at, NULL, started_at, NULL, finished_at,
    cost, payload, result
FROM barkeep.queue_done;

-- Every try that went wrong, whether its job was tried again or not; CRASHED is a worker that died.
CREATE VIEW barkeep.failures_v1 AS
SELECT
    attempt.id, coalesce(job.kind, done.kind) AS kind, coalesce(job.group_name, done.group_name) AS definition,
    attempt.attempt, attempt.code, attempt.message, attempt.worker, attempt.started_at, attempt.finished_at,
    CASE
        WHEN job.id IS NOT NULL THEN 'live'
        WHEN done.outcome = 0 THEN 'succeeded' WHEN done.outcome = 1 THEN 'failed' WHEN done.outcome = 2 THEN 'cancelled'
    END AS job_state
FROM barkeep.queue_attempt AS attempt
LEFT JOIN barkeep.queue_job AS job ON job.id = attempt.id
LEFT JOIN barkeep.queue_done AS done ON done.id = attempt.id;

-- What was spent, by hour and definition: kept for good, also when the jobs themselves have been pruned.
CREATE VIEW barkeep.costs_v1 AS
SELECT
    hour, kind, group_name AS definition,
    coalesce(sum(jobs) FILTER (WHERE outcome = 0), 0)::bigint AS succeeded,
    coalesce(sum(jobs) FILTER (WHERE outcome <> 0), 0)::bigint AS failed,
    sum(cost)::bigint AS requests
FROM barkeep.queue_tally
GROUP BY hour, kind, group_name;

-- The request limits that all processes share. A pace of so many a minute, and what was handed out today (UTC).
CREATE VIEW barkeep.budgets_v1 AS
SELECT
    name, 60000000.0 / interval_us AS requests_a_minute,
    CASE WHEN day = (statement_timestamp() AT TIME ZONE 'UTC')::date THEN day_spent ELSE 0 END AS spent_today,
    CASE WHEN blocked_until > statement_timestamp() THEN blocked_until END AS blocked_until
FROM barkeep.queue_budget;

CREATE VIEW barkeep.beats_v1 AS
SELECT name, beat_at, holder, note FROM barkeep.queue_beat;

CREATE VIEW barkeep.workers_v1 AS
SELECT name, host, pid, version, kinds, running, started_at, seen_at, lease_until > statement_timestamp() AS is_alive
FROM barkeep.queue_worker;

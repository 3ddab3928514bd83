-- Signs of life: who said last that something was done, and what came of it. A row a name, so it stays small.
CREATE TABLE queue_beat (
    name TEXT PRIMARY KEY,
    beat_at INTEGER NOT NULL,
    holder TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What other tools may rely on. The tables may change; a view of a version does not: a change makes a version more.
-- A job's cost is counted in requests, and its group is the definition that it belongs to, where barkeep fills bars.
-- Instants are text as in ISO 8601, and beside those that one filters by the microseconds since 1970.
CREATE VIEW jobs_v1 AS
SELECT
    job.id, job.kind, job.group_name AS definition, job.key,
    CASE
        WHEN lease.id IS NOT NULL THEN 'running'
        WHEN job.run_at <= unixepoch('subsec') * 1000000 THEN 'ready'
        ELSE 'waiting'
    END AS state,
    -job.rank AS priority, job.failures, job.crashes, job.code, job.message,
    lease.worker,
    strftime('%Y-%m-%dT%H:%M:%SZ', job.created_at / 1000000, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', job.run_at / 1000000, 'unixepoch') AS run_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', lease.started_at / 1000000, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', lease.lease_until / 1000000, 'unixepoch') AS lease_until,
    NULL AS finished_at,
    NULL AS requests, job.payload, NULL AS result,
    job.created_at AS created_at_us, lease.started_at AS started_at_us, NULL AS finished_at_us
FROM queue_job AS job
LEFT JOIN queue_lease AS lease USING (id)
UNION ALL
SELECT
    id, kind, group_name, key,
    CASE outcome WHEN 0 THEN 'succeeded' WHEN 1 THEN 'failed' ELSE 'cancelled' END,
    -rank, failures, crashes, code, message,
    worker,
    strftime('%Y-%m-%dT%H:%M:%SZ', created_at / 1000000, 'unixepoch'),
    NULL,
    strftime('%Y-%m-%dT%H:%M:%SZ', started_at / 1000000, 'unixepoch'),
    NULL,
    strftime('%Y-%m-%dT%H:%M:%SZ', finished_at / 1000000, 'unixepoch'),
    cost, payload, result,
    created_at, started_at, finished_at
FROM queue_done;

-- Every try that went wrong, whether its job was tried again or not; CRASHED is a worker that died.
CREATE VIEW failures_v1 AS
SELECT
    attempt.id, coalesce(job.kind, done.kind) AS kind, coalesce(job.group_name, done.group_name) AS definition,
    attempt.attempt, attempt.code, attempt.message, attempt.worker,
    strftime('%Y-%m-%dT%H:%M:%SZ', attempt.started_at / 1000000, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', attempt.finished_at / 1000000, 'unixepoch') AS finished_at,
    CASE
        WHEN job.id IS NOT NULL THEN 'live'
        WHEN done.outcome = 0 THEN 'succeeded' WHEN done.outcome = 1 THEN 'failed' WHEN done.outcome = 2 THEN 'cancelled'
    END AS job_state,
    attempt.started_at AS started_at_us, attempt.finished_at AS finished_at_us
FROM queue_attempt AS attempt
LEFT JOIN queue_job AS job ON job.id = attempt.id
LEFT JOIN queue_done AS done ON done.id = attempt.id;

-- What was spent, by hour and definition: kept for good, also when the jobs themselves have been pruned.
CREATE VIEW costs_v1 AS
SELECT
    strftime('%Y-%m-%dT%H:%M:%SZ', hour / 1000000, 'unixepoch') AS hour, kind, group_name AS definition,
    coalesce(sum(jobs) FILTER (WHERE outcome = 0), 0) AS succeeded,
    coalesce(sum(jobs) FILTER (WHERE outcome <> 0), 0) AS failed,
    sum(cost) AS requests,
    queue_tally.hour AS hour_us
FROM queue_tally
GROUP BY queue_tally.hour, kind, group_name;

-- The request limits that all processes share. A pace of so many a minute, and what was handed out today (UTC).
CREATE VIEW budgets_v1 AS
SELECT
    name, 60000000.0 / interval_us AS requests_a_minute,
    CASE WHEN day = unixepoch() / 86400 THEN day_spent ELSE 0 END AS spent_today,
    CASE
        WHEN blocked_until > unixepoch('subsec') * 1000000
        THEN strftime('%Y-%m-%dT%H:%M:%SZ', blocked_until / 1000000, 'unixepoch')
    END AS blocked_until
FROM queue_budget;

CREATE VIEW beats_v1 AS
SELECT
    name, strftime('%Y-%m-%dT%H:%M:%SZ', beat_at / 1000000, 'unixepoch') AS beat_at, holder, note,
    beat_at AS beat_at_us
FROM queue_beat;

CREATE VIEW workers_v1 AS
SELECT
    name, host, pid, version, kinds, running,
    strftime('%Y-%m-%dT%H:%M:%SZ', started_at / 1000000, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', seen_at / 1000000, 'unixepoch') AS seen_at,
    lease_until > unixepoch('subsec') * 1000000 AS is_alive
FROM queue_worker;

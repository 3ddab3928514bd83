-- Cancels live jobs. Answers how many ended, how many workers will be told, and how many were on their way from one to
-- the other, for which the caller asks again.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now),
chosen AS MATERIALIZED (
    SELECT id, kind, rank, run_at
    FROM barkeep.queue_job
    WHERE ($2::bigint[] IS NULL OR id = ANY ($2)) AND ($3::text IS NULL OR kind = $3)
        AND ($4::text IS NULL OR group_name = $4) AND ($5::text IS NULL OR code = $5)
),
asked AS (
    UPDATE barkeep.queue_lease AS lease
    SET cancel_requested = true
    FROM chosen
    WHERE lease.id = chosen.id
    RETURNING lease.id
),
taken AS (
    DELETE FROM barkeep.queue_ready AS ready
    USING chosen
    WHERE (ready.kind, ready.rank, ready.run_at, ready.id) = (chosen.kind, chosen.rank, chosen.run_at, chosen.id)
    RETURNING ready.id
),
removed AS (
    DELETE FROM barkeep.queue_job AS job
    USING taken
    WHERE job.id = taken.id
    RETURNING job.*
),
kept AS (
    INSERT INTO barkeep.queue_done
        (id, parent, created_at, finished_at, outcome, rank, max_attempts, failures, crashes,
         kind, key, group_name, code, message, payload)
    SELECT
        id, parent, created_at, now, 2, rank, max_attempts, failures, crashes,
        kind, key, group_name, coalesce(code, 'CANCELLED'), message, payload
    FROM removed, clock
),
tallied AS (
    INSERT INTO barkeep.queue_tally (hour, jobs, cost, outcome, kind, group_name)
    SELECT date_bin('1 hour', (SELECT now FROM clock), 'epoch'), count(*), 0, 2, kind, group_name
    FROM removed
    GROUP BY kind, group_name
)
SELECT ended, asked, (SELECT count(*) FROM chosen) - ended - asked
FROM (SELECT (SELECT count(*) FROM removed) AS ended, (SELECT count(*) FROM asked) AS asked) AS counted

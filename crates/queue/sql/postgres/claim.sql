-- Leases the jobs that come first, stepping over those that another claim is taking. The candidates are chosen in an
-- expression of their own: in a subquery the planner may forget the limit. $7 to $9: rank, time and id where the claim
-- before this one stopped, to step over what it left dead in the index; null to look at everything.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now),
candidate AS MATERIALIZED (
    SELECT ctid
    FROM barkeep.queue_ready
    WHERE kind = $2 AND run_at <= (SELECT now FROM clock)
        AND (rank, run_at, id) >= (
            coalesce($7::smallint, '-32768'::smallint), coalesce($8::timestamptz, '-infinity'), coalesce($9::bigint, 0)
        )
        AND (SELECT count(*) = 0 FROM barkeep.queue_pause WHERE kind = $2)
        AND coalesce(group_name <> ALL (ARRAY(SELECT group_name FROM barkeep.queue_pause WHERE kind = '')), true)
    ORDER BY rank, run_at, id
    LIMIT $3
    FOR UPDATE SKIP LOCKED
),
taken AS (
    DELETE FROM barkeep.queue_ready AS ready
    USING candidate
    WHERE ready.ctid = candidate.ctid
    RETURNING ready.id
),
leased AS (
    INSERT INTO barkeep.queue_lease (id, started_at, lease_until, token, worker)
    SELECT id, now, now + $4::bigint * interval '1 microsecond', $5, $6
    FROM taken, clock
    RETURNING id, lease_until
)
SELECT
    job.id, leased.lease_until, job.kind, job.key, job.group_name, job.payload::text,
    job.rank, job.failures, job.max_attempts, job.crashes, job.run_at
FROM leased JOIN barkeep.queue_job AS job USING (id)
ORDER BY job.rank, job.run_at, job.id

-- Gives failed jobs back, unless their key is live again. Answers their ids.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now),
chosen AS MATERIALIZED (
    SELECT id, parent, created_at, finished_at, rank, max_attempts, kind, key, group_name, code, message, payload
    FROM barkeep.queue_done
    WHERE outcome = 1
        AND ($2::bigint[] IS NULL OR id = ANY ($2)) AND ($3::text IS NULL OR kind = $3)
        AND ($4::text IS NULL OR group_name = $4) AND ($5::text IS NULL OR code = $5)
    ORDER BY kind, key, id
    FOR UPDATE
),
added AS (
    INSERT INTO barkeep.queue_job
        (id, parent, created_at, run_at, rank, max_attempts, kind, key, group_name, code, message, payload)
    SELECT id, parent, created_at, now, rank, max_attempts, kind, key, group_name, code, message, payload
    FROM chosen, clock
    ON CONFLICT DO NOTHING
    RETURNING id, run_at, rank, kind, group_name
),
queued AS (
    INSERT INTO barkeep.queue_ready (id, run_at, rank, kind, group_name)
    SELECT id, run_at, rank, kind, group_name FROM added
),
removed AS (
    DELETE FROM barkeep.queue_done AS done
    USING chosen, added
    WHERE chosen.id = added.id AND done.id = chosen.id AND done.finished_at = chosen.finished_at
),
-- In the hour in which they were counted: of none more are given back than failed in it.
tallied AS (
    INSERT INTO barkeep.queue_tally (hour, jobs, cost, outcome, kind, group_name)
    SELECT date_bin('1 hour', finished_at, 'epoch'), -count(*), 0, 1, added.kind, added.group_name
    FROM added JOIN chosen USING (id)
    GROUP BY 1, added.kind, added.group_name
)
SELECT id FROM added

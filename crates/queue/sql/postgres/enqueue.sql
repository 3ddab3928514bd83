-- Adds jobs, skipping those whose kind and key are live. The caller sorts them by key, so that two callers who add the
-- same ones wait for each other in one order. The index is named, or the ids would be looked for as well. Answers id, kind
-- and key of the new ones, whose ids rise as asked.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now),
added AS (
    INSERT INTO barkeep.queue_job
        (parent, created_at, run_at, rank, max_attempts, kind, key, group_name, payload)
    SELECT
        parent, now, greatest(start_at, now + wait_us * interval '1 microsecond'),
        rank, max_attempts, kind, key, group_name, payload::json
    FROM clock, unnest(
        $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::smallint[],
        $8::bigint[], $9::timestamptz[], $10::bigint[]
    ) AS new (kind, key, group_name, payload, rank, max_attempts, wait_us, start_at, parent)
    ON CONFLICT (kind, key) WHERE key IS NOT NULL DO NOTHING
    RETURNING id, run_at, rank, kind, key, group_name
),
queued AS (
    INSERT INTO barkeep.queue_ready (id, run_at, rank, kind, group_name)
    SELECT id, run_at, rank, kind, group_name FROM added
)
SELECT id, kind, key FROM added

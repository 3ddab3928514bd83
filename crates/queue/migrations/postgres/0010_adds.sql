-- Jobs are added as functions do what else there is to do. Mostly no key among them is live: then they are added as they are, for
-- which an index need not be asked before it is told. If some is, that is taken back, and they are added one by one.

-- Jobs that were asked for, as rows to be.
CREATE FUNCTION barkeep.queue_asked(
    instant timestamptz, kinds text[], keys text[], group_names text[], payloads text[], ranks smallint[],
    most_attempts smallint[], waits_us bigint[], starts_at timestamptz[], parents bigint[]
) RETURNS TABLE (
    parent bigint, created_at timestamptz, run_at timestamptz, rank smallint, max_attempts smallint, kind text, key text,
    group_name text, payload json
)
LANGUAGE sql STABLE
AS $$
    SELECT
        parent, instant, greatest(start_at, instant + wait_us * interval '1 microsecond'),
        rank, max_attempts, kind, key, group_name, payload::json
    FROM unnest(kinds, keys, group_names, payloads, ranks, most_attempts, waits_us, starts_at, parents)
        AS job (kind, key, group_name, payload, rank, max_attempts, wait_us, start_at, parent)
$$;

-- Adds jobs, skipping those whose kind and key are live. The caller sorts them by key, so that two callers who add the same
-- ones wait for each other in one order. Answers the ids of the new ones, which rise as asked, and their kinds and keys unless
-- all are new.
CREATE FUNCTION barkeep.queue_enqueue(
    instant timestamptz, kinds text[], keys text[], group_names text[], payloads text[], ranks smallint[],
    most_attempts smallint[], waits_us bigint[], starts_at timestamptz[], parents bigint[],
    OUT ids bigint[], OUT new_kinds text[], OUT new_keys text[]
)
LANGUAGE plpgsql
AS $$
BEGIN
    -- A step that can be taken back costs as much as it saves for a few jobs, and many of them in a caller's transaction slow
    -- everybody down.
    IF cardinality(kinds) >= 20 THEN
        BEGIN
            WITH added AS (
                INSERT INTO barkeep.queue_job
                    (parent, created_at, run_at, rank, max_attempts, kind, key, group_name, payload)
                SELECT *
                FROM barkeep.queue_asked(
                    instant, kinds, keys, group_names, payloads, ranks, most_attempts, waits_us, starts_at, parents
                )
                RETURNING id, run_at, rank, kind, group_name
            ),
            queued AS (
                INSERT INTO barkeep.queue_ready (id, run_at, rank, kind, group_name)
                SELECT id, run_at, rank, kind, group_name FROM added
            )
            SELECT array_agg(id) INTO ids FROM added;
            RETURN;
        EXCEPTION WHEN unique_violation THEN
            -- One by one, then.
        END;
    END IF;
    -- The index is named, or the ids would be looked for as well.
    WITH added AS (
        INSERT INTO barkeep.queue_job
            (parent, created_at, run_at, rank, max_attempts, kind, key, group_name, payload)
        SELECT *
        FROM barkeep.queue_asked(
            instant, kinds, keys, group_names, payloads, ranks, most_attempts, waits_us, starts_at, parents
        )
        ON CONFLICT (kind, key) WHERE key IS NOT NULL DO NOTHING
        RETURNING id, run_at, rank, kind, key, group_name
    ),
    queued AS (
        INSERT INTO barkeep.queue_ready (id, run_at, rank, kind, group_name)
        SELECT id, run_at, rank, kind, group_name FROM added
    )
    SELECT array_agg(id), array_agg(kind), array_agg(key) INTO ids, new_kinds, new_keys FROM added;
END
$$;

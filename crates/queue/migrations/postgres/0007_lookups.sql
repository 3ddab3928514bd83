-- Live jobs and leases are looked up by id, one by one, whatever the statistics say. Those of tables that were vacuumed while
-- the queue was empty say that there is nothing, and that nothing is soonest read from end to end, along the index where it
-- may not be otherwise: the whole backlog for every ending. A comparison with an array of one cannot serve to go along two
-- tables side by side, so that there is no other plan than to look.

CREATE OR REPLACE FUNCTION barkeep.queue_put_back(ids bigint[]) RETURNS void
LANGUAGE sql
AS $$
    WITH back AS (DELETE FROM barkeep.queue_lease WHERE id = ANY (ids) RETURNING id)
    INSERT INTO barkeep.queue_ready (id, run_at, rank, kind, group_name)
    SELECT job.id, job.run_at, job.rank, job.kind, job.group_name FROM back JOIN barkeep.queue_job AS job ON job.id = ANY (ARRAY[back.id])
$$;

CREATE OR REPLACE FUNCTION barkeep.queue_claim_capped(
    instant timestamptz, wanted_kind text, most bigint, until timestamptz, new_token uuid, holder text,
    from_rank smallint, from_run_at timestamptz, from_id bigint, paused text[]
) RETURNS SETOF barkeep.queue_job
LANGUAGE plpgsql
AS $$
DECLARE
    caps record;
    is_my_turn boolean := false;
    wanted bigint;
    found_ids bigint[];
    found_groups text[];
    allowed bigint;
    claimed bigint := 0;
BEGIN
    LOOP
        SELECT * INTO caps FROM barkeep.queue_room(wanted_kind);
        IF NOT is_my_turn AND (caps.capped_groups IS NOT NULL OR caps.room < 2 * most) THEN
            -- Scarce: nobody takes what he would have to put back.
            PERFORM barkeep.queue_take_turn(wanted_kind);
            is_my_turn := true;
            CONTINUE;
        END IF;
        wanted := least(most - claimed, caps.room);
        EXIT WHEN wanted <= 0;
        IF caps.capped_groups IS NOT NULL THEN
            -- What was passed over may have a place by now.
            from_rank := NULL;
        END IF;
        WITH candidate AS MATERIALIZED (
            SELECT ctid, rank, run_at, id, group_name
            FROM barkeep.queue_ready
            WHERE kind = wanted_kind AND run_at <= instant
                AND (rank, run_at, id) >= (
                    coalesce(from_rank, '-32768'), coalesce(from_run_at, '-infinity'), coalesce(from_id, 0)
                )
                AND coalesce(group_name <> ALL (paused || caps.full_groups), true)
            ORDER BY rank, run_at, id
            LIMIT wanted
            FOR UPDATE SKIP LOCKED
        ),
        fitting AS MATERIALIZED (
            SELECT ctid
            FROM (
                SELECT ctid, group_name, row_number() OVER (PARTITION BY group_name ORDER BY rank, run_at, id) AS place
                FROM candidate
            ) AS placed
            WHERE place <= coalesce(caps.rooms[array_position(caps.capped_groups, group_name)], wanted)
        ),
        taken AS (
            DELETE FROM barkeep.queue_ready AS ready
            USING fitting
            WHERE ready.ctid = fitting.ctid
            RETURNING ready.rank, ready.run_at, ready.id, ready.group_name
        ),
        leased AS (
            INSERT INTO barkeep.queue_lease (id, started_at, lease_until, token, worker)
            SELECT taken.id, instant, until, new_token, holder
            FROM taken
        )
        SELECT array_agg(id ORDER BY rank, run_at, id), array_agg(group_name ORDER BY rank, run_at, id)
        INTO found_ids, found_groups
        FROM taken;
        EXIT WHEN found_ids IS NULL;
        IF NOT is_my_turn THEN
            PERFORM barkeep.queue_take_turn(wanted_kind);
            is_my_turn := true;
            SELECT * INTO caps FROM barkeep.queue_room(wanted_kind);
            -- Groups had no caps before, and cannot have got any: who sets a cap waits for this claim to end.
            allowed := greatest(least(caps.room, cardinality(found_ids)), 0);
            IF allowed < cardinality(found_ids) THEN
                PERFORM barkeep.queue_put_back(found_ids[allowed + 1:]);
                found_ids := found_ids[:allowed];
                found_groups := found_groups[:allowed];
            END IF;
        END IF;
        INSERT INTO barkeep.queue_use (jobs, kind, group_name)
        SELECT sum(begun.jobs), cap.kind, cap.group_name
        FROM (SELECT groups.name, count(*) AS jobs FROM unnest(found_groups) AS groups (name) GROUP BY 1) AS begun
        JOIN barkeep.queue_cap AS cap
            ON cap.kind IN ('', wanted_kind) AND (cap.group_name = '' OR cap.group_name = begun.name)
        GROUP BY cap.kind, cap.group_name;
        RETURN QUERY
        SELECT job.* FROM unnest(found_ids) AS taken (id) JOIN barkeep.queue_job AS job ON job.id = ANY (ARRAY[taken.id]);
        claimed := claimed + cardinality(found_ids);
        EXIT WHEN caps.capped_groups IS NULL;
    END LOOP;
    IF caps.changes > 50 THEN
        PERFORM barkeep.queue_sum_up(wanted_kind);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION barkeep.queue_complete(
    instant timestamptz, ids bigint[], tokens uuid[], results text[], costs bigint[]
) RETURNS TABLE (ended_id bigint, ended_token uuid)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    RETURN QUERY
    WITH ended AS (
        DELETE FROM barkeep.queue_lease AS lease
        USING unnest(ids, tokens, results, costs) AS done (id, token, result, cost)
        WHERE lease.id = ANY (ARRAY[done.id]) AND lease.token = done.token
        RETURNING lease.id, lease.token, lease.started_at, lease.worker, done.result, done.cost
    ),
    removed AS (
        DELETE FROM barkeep.queue_job AS job
        USING ended
        WHERE job.id = ANY (ARRAY[ended.id])
        RETURNING
            job.id, job.parent, job.created_at, ended.started_at, ended.cost, job.rank, job.max_attempts,
            job.failures, job.crashes, job.kind, job.key, job.group_name, ended.worker, ended.result
    ),
    kept AS (
        INSERT INTO barkeep.queue_done
            (id, parent, created_at, started_at, finished_at, cost, outcome, rank, max_attempts, failures, crashes,
             kind, key, group_name, worker, result)
        SELECT
            id, parent, created_at, started_at, instant, nullif(cost, 0), 0, rank, max_attempts, failures, crashes,
            kind, key, group_name, worker, result::json
        FROM removed
    ),
    summed AS (
        SELECT kind, group_name, count(*) AS jobs, sum(cost) AS cost FROM removed GROUP BY kind, group_name
    ),
    counted AS (
        INSERT INTO barkeep.queue_tally (hour, jobs, cost, outcome, kind, group_name)
        SELECT date_bin('1 hour', instant, 'epoch'), jobs, cost, 0, kind, group_name
        FROM summed
    ),
    freed AS (
        INSERT INTO barkeep.queue_use (jobs, kind, group_name)
        SELECT -sum(summed.jobs), cap.kind, cap.group_name
        FROM summed JOIN barkeep.queue_cap AS cap
            ON cap.kind IN ('', summed.kind) AND (cap.group_name = '' OR cap.group_name = summed.group_name)
        GROUP BY cap.kind, cap.group_name
    )
    SELECT id, token FROM ended;
END
$$;

CREATE OR REPLACE FUNCTION barkeep.queue_settle(
    instant timestamptz, ids bigint[], tokens uuid[], endings text[], codes text[], messages text[], are_final boolean[],
    firsts_us bigint[], longests_us bigint[], jitters float8[], costs bigint[], max_crashes int
) RETURNS TABLE (ended_id bigint, ended_token uuid, ended_as int, waits_us bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    RETURN QUERY
    WITH ended AS (
        DELETE FROM barkeep.queue_lease AS lease
        USING unnest(
            ids, tokens, endings, codes, messages, are_final, firsts_us, longests_us, jitters, costs
        ) AS try (id, token, ending, code, message, is_final, first_us, longest_us, jitter, cost)
        WHERE lease.id = ANY (ARRAY[try.id]) AND lease.token = try.token
            AND (try.ending <> 'c' OR lease.lease_until <= instant)
        RETURNING
            lease.id, lease.token, lease.started_at, lease.worker, lease.cancel_requested,
            try.ending, try.code, try.message, try.is_final, try.first_us, try.longest_us, try.jitter,
            CASE try.ending WHEN 'c' THEN lease.cost ELSE try.cost END AS cost
    ),
    counted AS (
        SELECT
            ended.*, job.max_attempts, job.kind, job.group_name, job.code AS last_code, job.message AS last_message,
            job.failures + (ended.ending = 'f')::int AS failures,
            job.crashes + (ended.ending = 'c')::int AS crashes
        FROM ended JOIN barkeep.queue_job AS job ON job.id = ANY (ARRAY[ended.id])
    ),
    judged AS (
        SELECT
            id, token, started_at, worker, ending, failures, crashes, cost, kind, group_name,
            CASE WHEN code IS NULL AND cancel_requested THEN coalesce(last_code, 'CANCELLED') ELSE code END AS code,
            CASE WHEN code IS NULL AND cancel_requested THEN last_message ELSE message END AS message,
            CASE
                WHEN cancel_requested THEN 2
                WHEN ending = 'f' AND (is_final OR failures >= max_attempts) THEN 1
                WHEN ending = 'c' AND crashes >= max_crashes THEN 1
            END AS outcome,
            floor(least(longest_us, first_us * power(2, least(greatest(failures - 1, 0), 30))) * jitter)::bigint AS wait_us
        FROM counted
    ),
    logged AS (
        INSERT INTO barkeep.queue_attempt (id, started_at, finished_at, attempt, worker, code, message)
        SELECT id, started_at, instant, failures + (ending = 'c')::int, worker, code, message
        FROM judged
        WHERE ending <> 'r'
    ),
    returned AS (
        UPDATE barkeep.queue_job AS job
        SET failures = judged.failures,
            crashes = judged.crashes,
            code = coalesce(judged.code, job.code),
            message = CASE WHEN judged.code IS NULL THEN job.message ELSE judged.message END,
            run_at = instant + judged.wait_us * interval '1 microsecond'
        FROM judged
        WHERE job.id = ANY (ARRAY[judged.id]) AND judged.outcome IS NULL
        RETURNING job.id, job.run_at, job.rank, job.kind, job.group_name
    ),
    queued AS (
        INSERT INTO barkeep.queue_ready (id, run_at, rank, kind, group_name)
        SELECT id, run_at, rank, kind, group_name FROM returned
    ),
    removed AS (
        DELETE FROM barkeep.queue_job AS job
        USING judged
        WHERE job.id = ANY (ARRAY[judged.id]) AND judged.outcome IS NOT NULL
        RETURNING
            job.id, job.parent, job.created_at, judged.started_at, judged.outcome, job.rank, job.max_attempts,
            judged.failures, judged.crashes, job.kind, job.key, job.group_name, judged.worker,
            judged.code, judged.message, job.payload
    ),
    kept AS (
        INSERT INTO barkeep.queue_done
            (id, parent, created_at, started_at, finished_at, outcome, rank, max_attempts, failures, crashes,
             kind, key, group_name, worker, code, message, payload)
        SELECT
            id, parent, created_at, started_at, instant, outcome, rank, max_attempts, failures, crashes,
            kind, key, group_name, worker, code, message, payload
        FROM removed
    ),
    tallied AS (
        INSERT INTO barkeep.queue_tally (hour, jobs, cost, outcome, kind, group_name)
        SELECT date_bin('1 hour', instant, 'epoch'), count(outcome), sum(cost), coalesce(outcome, 1), kind, group_name
        FROM judged
        WHERE outcome IS NOT NULL OR cost > 0
        GROUP BY 4, kind, group_name
    ),
    freed AS (
        INSERT INTO barkeep.queue_use (jobs, kind, group_name)
        SELECT -count(*), cap.kind, cap.group_name
        FROM judged JOIN barkeep.queue_cap AS cap
            ON cap.kind IN ('', judged.kind) AND (cap.group_name = '' OR cap.group_name = judged.group_name)
        GROUP BY cap.kind, cap.group_name
    )
    SELECT id, token, outcome, wait_us FROM judged;
END
$$;

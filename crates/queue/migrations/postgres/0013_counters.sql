-- What runs under a cap is counted in place. It was a row for each claim and each ending, summed up and taken away by claims now
-- and then: what is taken away stays in the table until it is vacuumed, and every claim reads past it, so that jobs claimed one by
-- one under a cap took four times as long after a few seconds. Now there are a few counters for each cap; whoever counts uses one
-- that nobody else does until he is done, the first that is free, so that there are no more rows than are counted at once. Claims
-- and endings that began before this step add rows of their own, which do no harm; queue_sum_up stays for them, and for nothing else.

-- The first tables that claims and endings want: those that are under way come to an end, and those that come wait with nothing in
-- hand, so that nobody waits crosswise for the tables behind them.
LOCK TABLE barkeep.queue_pause IN ACCESS EXCLUSIVE MODE;
LOCK TABLE barkeep.queue_lease IN SHARE MODE;
LOCK TABLE barkeep.queue_cap, barkeep.queue_use IN ACCESS EXCLUSIVE MODE;

WITH apart AS (
    DELETE FROM barkeep.queue_use RETURNING jobs, kind, group_name
)
INSERT INTO barkeep.queue_use (jobs, kind, group_name)
SELECT sum(jobs), kind, group_name
FROM apart
GROUP BY kind, group_name;

ALTER TABLE barkeep.queue_use
    ADD COLUMN counter int NOT NULL DEFAULT 100 + floor(random() * 2000000000),
    ADD PRIMARY KEY (kind, group_name, counter),
    -- A row that is changed all the time leaves its old states on its page; the fuller a page may be, the more are read past.
    SET (fillfactor = 20);

-- Whoever could add to it may change it.
DO $$
DECLARE
    adder record;
BEGIN
    FOR adder IN
        SELECT acl.grantee::regrole AS role
        FROM pg_class, aclexplode(relacl) AS acl
        WHERE pg_class.oid = to_regclass('barkeep.queue_use') AND acl.privilege_type = 'INSERT' AND acl.grantee <> 0
    LOOP
        EXECUTE format('GRANT UPDATE ON barkeep.queue_use TO %s', adder.role);
    END LOOP;
END
$$;

-- Takes a counter until the transaction ends; waits for one if all are in use.
CREATE FUNCTION barkeep.queue_counter() RETURNS int
LANGUAGE plpgsql
AS $$
DECLARE
    class CONSTANT int4 := 1667330163;
    counters CONSTANT int4 := 16;
    own CONSTANT int4 := 1 + pg_backend_pid() % counters;
BEGIN
    FOR counter IN 1..counters LOOP
        IF pg_try_advisory_xact_lock(class, -1 - counter) THEN
            RETURN counter;
        END IF;
    END LOOP;
    PERFORM pg_advisory_xact_lock(class, -1 - own);
    RETURN own;
END
$$;

CREATE OR REPLACE FUNCTION barkeep.queue_claim(
    instant timestamptz, wanted_kind text, most bigint, until timestamptz, new_token uuid, holder text,
    from_rank smallint, from_run_at timestamptz, from_id bigint
) RETURNS SETOF barkeep.queue_job
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
DECLARE
    has_pauses boolean;
    has_budgets boolean;
    has_caps boolean;
    paused text[];
    has_capped_groups boolean;
    cap_of_all int;
    cap_of_kind int;
    has_place boolean;
    claimed bigint;
    ignored text;
BEGIN
    -- Assigned, which costs less than a query.
    ignored := set_config('synchronous_commit', 'off', true);
    SELECT are_paused, are_spending, are_capped INTO has_pauses, has_budgets, has_caps FROM barkeep.queue_rules;
    IF has_pauses THEN
        SELECT array_agg(group_name) FILTER (WHERE kind = '') INTO paused
        FROM barkeep.queue_pause
        WHERE kind IN ('', wanted_kind)
        HAVING count(*) FILTER (WHERE kind <> '') = 0;
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    IF has_budgets THEN
        PERFORM
        FROM barkeep.queue_budget_of AS spends JOIN barkeep.queue_budget AS budget ON budget.name = spends.budget
        WHERE spends.kind = wanted_kind AND (
            budget.blocked_until > instant
            OR (budget.day = (instant AT TIME ZONE 'UTC')::date AND budget.day_spent >= budget.day_limit)
        );
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    IF has_caps THEN
        SELECT
            bool_or(group_name <> ''),
            min(cap) FILTER (WHERE kind = '' AND group_name = ''),
            min(cap) FILTER (WHERE kind <> '' AND group_name = '')
        INTO has_capped_groups, cap_of_all, cap_of_kind
        FROM barkeep.queue_cap
        WHERE kind IN ('', wanted_kind);
        IF has_capped_groups IS NOT NULL THEN
            IF NOT has_capped_groups THEN
                has_place := barkeep.queue_take_place(wanted_kind, most, cap_of_all, cap_of_kind) IS NOT NULL;
            END IF;
            IF has_place IS NOT TRUE THEN
                RETURN QUERY
                SELECT *
                FROM barkeep.queue_claim_capped(
                    instant, wanted_kind, most, until, new_token, holder, from_rank, from_run_at, from_id, paused
                );
                RETURN;
            END IF;
        END IF;
    END IF;
    RETURN QUERY
    WITH taken AS (
        DELETE FROM barkeep.queue_ready
        WHERE ctid = ANY (ARRAY(
            SELECT ctid
            FROM barkeep.queue_ready
            WHERE kind = wanted_kind AND run_at <= instant
                AND (rank, run_at, id) >= (
                    coalesce(from_rank, '-32768'), coalesce(from_run_at, '-infinity'), coalesce(from_id, 0)
                )
                AND coalesce(group_name <> ALL (paused), true)
            ORDER BY rank, run_at, id
            LIMIT most
            FOR UPDATE SKIP LOCKED
        ))
        RETURNING id
    ),
    leased AS (
        INSERT INTO barkeep.queue_lease (id, started_at, lease_until, token, worker)
        SELECT id, instant, until, new_token, holder
        FROM taken
    )
    SELECT * FROM barkeep.queue_job WHERE id = ANY (ARRAY(SELECT id FROM taken));
    GET DIAGNOSTICS claimed = ROW_COUNT;
    IF claimed > 0 AND has_place THEN
        INSERT INTO barkeep.queue_use AS use (jobs, counter, kind, group_name)
        SELECT claimed, (SELECT barkeep.queue_counter()), kind, group_name
        FROM barkeep.queue_cap
        WHERE kind IN ('', wanted_kind)
        ON CONFLICT (kind, group_name, counter) DO UPDATE SET jobs = use.jobs + excluded.jobs;
    END IF;
END
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
        INSERT INTO barkeep.queue_use AS use (jobs, counter, kind, group_name)
        SELECT sum(begun.jobs), (SELECT barkeep.queue_counter()), cap.kind, cap.group_name
        FROM (SELECT groups.name, count(*) AS jobs FROM unnest(found_groups) AS groups (name) GROUP BY 1) AS begun
        JOIN barkeep.queue_cap AS cap
            ON cap.kind IN ('', wanted_kind) AND (cap.group_name = '' OR cap.group_name = begun.name)
        GROUP BY cap.kind, cap.group_name
        ON CONFLICT (kind, group_name, counter) DO UPDATE SET jobs = use.jobs + excluded.jobs;
        RETURN QUERY
        SELECT job.* FROM unnest(found_ids) AS taken (id) JOIN barkeep.queue_job AS job ON job.id = ANY (ARRAY[taken.id]);
        claimed := claimed + cardinality(found_ids);
        EXIT WHEN caps.capped_groups IS NULL;
    END LOOP;
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
AS $$
DECLARE
    has_caps boolean;
BEGIN
    SELECT are_capped INTO has_caps FROM barkeep.queue_rules;
    -- A part of a statement costs something though it finds nothing to do: a fourteenth of ending one job.
    IF has_caps THEN
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
            INSERT INTO barkeep.queue_use AS use (jobs, counter, kind, group_name)
            SELECT -sum(summed.jobs), (SELECT barkeep.queue_counter()), cap.kind, cap.group_name
            FROM summed JOIN barkeep.queue_cap AS cap
                ON cap.kind IN ('', summed.kind) AND (cap.group_name = '' OR cap.group_name = summed.group_name)
            GROUP BY cap.kind, cap.group_name
            ON CONFLICT (kind, group_name, counter) DO UPDATE SET jobs = use.jobs + excluded.jobs
        )
        SELECT id, token FROM ended;
    ELSE
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
        )
        SELECT id, token FROM ended;
    END IF;
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
        INSERT INTO barkeep.queue_use AS use (jobs, counter, kind, group_name)
        SELECT -count(*), (SELECT barkeep.queue_counter()), cap.kind, cap.group_name
        FROM judged JOIN barkeep.queue_cap AS cap
            ON cap.kind IN ('', judged.kind) AND (cap.group_name = '' OR cap.group_name = judged.group_name)
        GROUP BY cap.kind, cap.group_name
        ON CONFLICT (kind, group_name, counter) DO UPDATE SET jobs = use.jobs + excluded.jobs
    )
    SELECT id, token, outcome, wait_us FROM judged;
END
$$;

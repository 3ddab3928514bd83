-- As before, in fewer steps: whether anything is paused, spent or capped at all is one question, since mostly nothing is; the jobs
-- taken out are looked up all at once; and ways to join are not ruled out that these statements cannot take.

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
    paused text[];
    has_capped_groups boolean;
    cap_of_all int;
    cap_of_kind int;
    changes bigint;
    claimed bigint;
    ignored text;
BEGIN
    -- Assigned, which costs less than a query.
    ignored := set_config('synchronous_commit', 'off', true);
    PERFORM FROM barkeep.queue_pause
    UNION ALL
    SELECT FROM barkeep.queue_budget_of AS spends WHERE spends.kind = wanted_kind
    UNION ALL
    SELECT FROM barkeep.queue_cap
    LIMIT 1;
    IF FOUND THEN
        -- Nothing is held yet that others wait for, so that this lock is not waited for crosswise with whoever sets a cap; later
        -- it would be.
        LOCK TABLE barkeep.queue_cap IN ROW SHARE MODE;
        PERFORM FROM barkeep.queue_pause;
        IF FOUND THEN
            SELECT array_agg(group_name) FILTER (WHERE kind = '') INTO paused
            FROM barkeep.queue_pause
            WHERE kind IN ('', wanted_kind)
            HAVING count(*) FILTER (WHERE kind <> '') = 0;
            IF NOT FOUND THEN
                RETURN;
            END IF;
        END IF;
        PERFORM
        FROM barkeep.queue_budget_of AS spends JOIN barkeep.queue_budget AS budget ON budget.name = spends.budget
        WHERE spends.kind = wanted_kind AND (
            budget.blocked_until > instant
            OR (budget.day = (instant AT TIME ZONE 'UTC')::date AND budget.day_spent >= budget.day_limit)
        );
        IF FOUND THEN
            RETURN;
        END IF;
        SELECT
            bool_or(group_name <> ''),
            min(cap) FILTER (WHERE kind = '' AND group_name = ''),
            min(cap) FILTER (WHERE kind <> '' AND group_name = '')
        INTO has_capped_groups, cap_of_all, cap_of_kind
        FROM barkeep.queue_cap
        WHERE kind IN ('', wanted_kind);
        IF has_capped_groups IS NOT NULL THEN
            IF NOT has_capped_groups THEN
                changes := barkeep.queue_take_place(wanted_kind, most, cap_of_all, cap_of_kind);
            END IF;
            IF changes IS NULL THEN
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
    IF claimed > 0 AND cap_of_all IS NOT NULL THEN
        INSERT INTO barkeep.queue_use (jobs, kind, group_name) VALUES (claimed, '', '');
    END IF;
    IF claimed > 0 AND cap_of_kind IS NOT NULL THEN
        INSERT INTO barkeep.queue_use (jobs, kind, group_name) VALUES (claimed, wanted_kind, '');
    END IF;
    IF changes > 50 THEN
        PERFORM barkeep.queue_sum_up(wanted_kind);
    END IF;
END
$$;

ALTER FUNCTION barkeep.queue_complete(timestamptz, bigint[], uuid[], text[], bigint[])
    RESET enable_hashjoin RESET enable_mergejoin;

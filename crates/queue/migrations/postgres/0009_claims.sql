-- As before, in fewer steps. Whether anything is paused, spent or capped is asked one thing after the other, since mostly nothing
-- is, and a question to an empty table is soon answered; jobs are taken out by their places, with no table of candidates in
-- between; and places under caps are looked for with the caps in hand. Claims under way still call queue_take_places, which
-- stands for the same places; nothing else does.

-- Takes a place for so many jobs until the transaction ends, and answers from how many rows it was summed up that there is room;
-- null if it takes none, since no place is good for as many, or there is not room for all places. Who waits for a place has none
-- yet, so that nobody waits in a circle.
CREATE FUNCTION barkeep.queue_take_place(wanted_kind text, most bigint, cap_of_all int, cap_of_kind int) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    class CONSTANT int4 := 1667330163;
    -- Those from 1 on are large, those behind them small.
    large CONSTANT int4 := 3;
    small CONSTANT int4 := 4;
    a_large CONSTANT bigint := 100;
    a_small CONSTANT bigint := 25;
    all_places CONSTANT bigint := large * a_large + small * a_small;
    is_small CONSTANT boolean := most <= a_small;
    -- Each looks from elsewhere on, so that few find their first ones taken.
    own CONSTANT int4 := CASE WHEN is_small THEN 1 + large + pg_backend_pid() % small ELSE 1 + pg_backend_pid() % large END;
    place int4 := own;
    has_place boolean;
    room bigint;
    changes bigint;
BEGIN
    IF most > a_large OR least(cap_of_all, cap_of_kind) < all_places THEN
        RETURN NULL;
    END IF;
    BEGIN
        IF NOT pg_try_advisory_xact_lock_shared(class, 0) THEN
            RETURN NULL;
        END IF;
        LOOP
            has_place := pg_try_advisory_xact_lock(class, place);
            EXIT WHEN has_place;
            -- Large ones are good for few as well.
            place := 1 + place % CASE WHEN is_small THEN large + small ELSE large END;
            EXIT WHEN place = own;
        END LOOP;
        IF NOT has_place THEN
            PERFORM pg_advisory_xact_lock(class, own);
        END IF;
        -- Those who left their places are in sight of this statement; the others take what these are good for at the most.
        SELECT
            least(
                cap_of_all - coalesce(sum(jobs) FILTER (WHERE kind = ''), 0),
                cap_of_kind - coalesce(sum(jobs) FILTER (WHERE kind <> ''), 0)
            ),
            count(*)
        INTO room, changes
        FROM barkeep.queue_use
        WHERE group_name = '' AND kind IN ('', wanted_kind);
        IF room >= all_places THEN
            RETURN changes;
        END IF;
        -- Lets go of the locks: who is to take a turn must not stand in the way of who does.
        RAISE EXCEPTION USING ERRCODE = 'BK001';
    EXCEPTION WHEN SQLSTATE 'BK001' THEN
        RETURN NULL;
    END;
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
SET enable_hashjoin = off
SET enable_mergejoin = off
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
    -- Whoever sets a cap waits from here on, and not only once it is looked at: a lock that is made stronger on the way
    -- would be waited for crosswise.
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
    PERFORM FROM barkeep.queue_cap;
    IF FOUND THEN
        SELECT
            bool_or(group_name <> ''),
            min(cap) FILTER (WHERE kind = '' AND group_name = ''),
            min(cap) FILTER (WHERE kind <> '' AND group_name = '')
        INTO has_capped_groups, cap_of_all, cap_of_kind
        FROM barkeep.queue_cap
        WHERE kind IN ('', wanted_kind);
    END IF;
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
    SELECT job.* FROM taken JOIN barkeep.queue_job AS job ON job.id = ANY (ARRAY[taken.id]);
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

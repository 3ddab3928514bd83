-- Where the caps leave room for everybody, claims need not take turns even to be counted: there are a few places, each good for
-- so many jobs, and whoever has some may take so many as long as there is room for all places together. That nobody sees yet
-- what those in the other places take does no harm.

-- Claims that began before know nothing of places: they come to an end first.
LOCK TABLE barkeep.queue_cap IN ACCESS EXCLUSIVE MODE;

-- Waits for the claims that are being counted, and for those in places; keeps all others away. What they took is in sight
-- afterwards.
CREATE OR REPLACE FUNCTION barkeep.queue_take_turn(wanted_kind text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    -- "caps", for all queues and schemas of a database alike: locks that are shared needlessly do no harm.
    PERFORM pg_advisory_xact_lock(1667330163, 0);
END
$$;

-- Takes places for so many jobs until the transaction ends, and answers from how many rows it was summed up that there is room;
-- null if it takes none, since too few are free, there is not room for all places, or groups have caps.
CREATE FUNCTION barkeep.queue_take_places(wanted_kind text, most bigint, least_cap int) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    class CONSTANT int4 := 1667330163;
    places CONSTANT int4 := 16;
    a_place CONSTANT bigint := 25;
    needed bigint := (most + a_place - 1) / a_place;
    caps record;
BEGIN
    IF needed > places / 4 OR least_cap < places * a_place THEN
        RETURN NULL;
    END IF;
    BEGIN
        IF NOT pg_try_advisory_xact_lock_shared(class, 0) THEN
            RETURN NULL;
        END IF;
        -- Each looks from elsewhere on, so that few find their first ones taken.
        FOR place IN pg_backend_pid() * 4..pg_backend_pid() * 4 + places - 1 LOOP
            EXIT WHEN needed = 0;
            IF pg_try_advisory_xact_lock(class, 1 + place % places) THEN
                needed := needed - 1;
            END IF;
        END LOOP;
        IF needed = 0 THEN
            -- Those who left their places are in sight of this statement; the others take what these are good for at the most.
            SELECT * INTO caps FROM barkeep.queue_room(wanted_kind);
            IF caps.capped_groups IS NULL AND caps.room >= places * a_place THEN
                RETURN caps.changes;
            END IF;
        END IF;
        -- Lets go of the locks: who is to take a turn must not stand in the way of who does.
        RAISE EXCEPTION USING ERRCODE = 'BK001';
    EXCEPTION WHEN SQLSTATE 'BK001' THEN
        RETURN NULL;
    END;
END
$$;

-- Makes one row of the many that tell what is used of each cap. One claim at a time does so: others would wait for it.
CREATE FUNCTION barkeep.queue_sum_up(wanted_kind text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF pg_try_advisory_xact_lock(1667330163, -1) THEN
        WITH apart AS (
            DELETE FROM barkeep.queue_use WHERE kind IN ('', wanted_kind) RETURNING jobs, kind, group_name
        )
        INSERT INTO barkeep.queue_use (jobs, kind, group_name)
        SELECT sum(jobs), kind, group_name
        FROM apart
        GROUP BY kind, group_name;
    END IF;
END
$$;

-- As before, but that claims which got places are made like those without caps, and counted by the way.
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
    is_held_back boolean;
    least_cap int;
    changes bigint;
    ignored text;
BEGIN
    -- Assigned, which costs less than a query.
    ignored := set_config('synchronous_commit', 'off', true);
    -- Whoever sets a cap waits from here on, and not only once it is looked at: a lock that is made stronger on the way
    -- would be waited for crosswise.
    LOCK TABLE barkeep.queue_cap IN ROW SHARE MODE;
    SELECT
        array_agg(group_name) FILTER (WHERE kind = ''),
        coalesce(bool_or(kind <> ''), false) OR EXISTS (
            SELECT
            FROM barkeep.queue_budget_of AS spends JOIN barkeep.queue_budget AS budget ON budget.name = spends.budget
            WHERE spends.kind = wanted_kind AND (
                budget.blocked_until > instant
                OR (budget.day = (instant AT TIME ZONE 'UTC')::date AND budget.day_spent >= budget.day_limit)
            )
        ),
        (SELECT min(cap) FROM barkeep.queue_cap WHERE kind IN ('', wanted_kind))
    INTO paused, is_held_back, least_cap
    FROM barkeep.queue_pause
    WHERE kind IN ('', wanted_kind);
    IF is_held_back THEN
        RETURN;
    END IF;
    IF least_cap IS NOT NULL THEN
        changes := barkeep.queue_take_places(wanted_kind, most, least_cap);
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
    WITH candidate AS MATERIALIZED (
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
    ),
    taken AS (
        DELETE FROM barkeep.queue_ready AS ready
        USING candidate
        WHERE ready.ctid = candidate.ctid
        RETURNING ready.id
    ),
    leased AS (
        INSERT INTO barkeep.queue_lease (id, started_at, lease_until, token, worker)
        SELECT taken.id, instant, until, new_token, holder
        FROM taken
    ),
    used AS (
        INSERT INTO barkeep.queue_use (jobs, kind, group_name)
        SELECT begun.jobs, cap.kind, cap.group_name
        FROM (SELECT count(*) AS jobs FROM taken) AS begun JOIN barkeep.queue_cap AS cap ON begun.jobs > 0
        WHERE cap.kind IN ('', wanted_kind)
    )
    SELECT job.* FROM taken JOIN barkeep.queue_job AS job ON job.id = ANY (ARRAY[taken.id]);
    IF changes > 50 THEN
        PERFORM barkeep.queue_sum_up(wanted_kind);
    END IF;
END
$$;

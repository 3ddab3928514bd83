-- Claims under caps used to take turns for as long as a whole claim takes. Where there is plenty of room they now take their
-- jobs first, and turns only to be counted; whoever finds then that others were faster puts back what is too much.

-- What the caps that bear upon a kind leave: room for all groups together, the groups that have a cap, what each of them
-- leaves, and those that are full; and from how many rows this was summed up.
CREATE FUNCTION barkeep.queue_room(
    wanted_kind text,
    OUT room bigint, OUT capped_groups text[], OUT rooms bigint[], OUT full_groups text[], OUT changes bigint
)
LANGUAGE plpgsql
AS $$
BEGIN
    SELECT
        min(cap - used) FILTER (WHERE group_name = ''),
        array_agg(group_name) FILTER (WHERE group_name <> ''),
        array_agg(cap - used) FILTER (WHERE group_name <> ''),
        array_agg(group_name) FILTER (WHERE group_name <> '' AND used >= cap),
        sum(rows)
    INTO room, capped_groups, rooms, full_groups, changes
    FROM (
        SELECT cap.group_name, cap.cap, coalesce(use.jobs, 0) AS used, coalesce(use.rows, 0) AS rows
        FROM barkeep.queue_cap AS cap
        LEFT JOIN (
            SELECT kind, group_name, sum(jobs)::bigint AS jobs, count(*) AS rows
            FROM barkeep.queue_use
            WHERE kind IN ('', wanted_kind)
            GROUP BY kind, group_name
        ) AS use USING (kind, group_name)
        WHERE cap.kind IN ('', wanted_kind)
    ) AS counted;
END
$$;

-- Waits for the claims that share a cap and are being counted. What they took is in sight afterwards.
CREATE FUNCTION barkeep.queue_take_turn(wanted_kind text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    -- The first in this order is the same for all claims that share a cap: that of all jobs, then any of a group, then
    -- that of this kind.
    PERFORM FROM barkeep.queue_cap
    WHERE kind IN ('', wanted_kind)
    ORDER BY kind, group_name
    LIMIT 1
    FOR UPDATE;
END
$$;

-- Puts jobs back that were leased in this transaction.
CREATE FUNCTION barkeep.queue_put_back(ids bigint[]) RETURNS void
LANGUAGE sql
AS $$
    WITH back AS (DELETE FROM barkeep.queue_lease WHERE id = ANY (ids) RETURNING id)
    INSERT INTO barkeep.queue_ready (id, run_at, rank, kind, group_name)
    SELECT job.id, job.run_at, job.rank, job.kind, job.group_name FROM barkeep.queue_job AS job JOIN back USING (id)
$$;

-- Leases jobs of a kind as far as the caps allow; see queue_claim. Candidates that do not fit are of groups that are full
-- by then: those behind them get their places.
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
        SELECT job.* FROM unnest(found_ids) AS taken (id) JOIN barkeep.queue_job AS job USING (id);
        claimed := claimed + cardinality(found_ids);
        EXIT WHEN caps.capped_groups IS NULL;
    END LOOP;
    IF caps.changes > 50 THEN
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

-- Leases the jobs of a kind that come first, stepping over those that another claim is taking, and never more than the
-- caps allow. `from_*`: where the claim before this one stopped, to step over what it left dead in the index; null to
-- look at everything, as is done in any case where groups have caps.
--
-- A function, since what is used of a cap must be counted anew once the claims before this one have had their turn, and
-- no client may come to a halt while others wait for it. Losing a claim in a crash of the server does no harm (nobody can
-- prove its token, so the job is claimed anew), hence its commit does not wait for the disk. The tables grow and shrink
-- faster than their statistics are brought up to date; so it is settled here that they are read by their indexes
-- (and that the costs which the planner then reckons with do not make it compile machine code).
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
    is_capped boolean;
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
        EXISTS (SELECT FROM barkeep.queue_cap WHERE kind IN ('', wanted_kind))
    INTO paused, is_held_back, is_capped
    FROM barkeep.queue_pause
    WHERE kind IN ('', wanted_kind);
    IF is_held_back THEN
        RETURN;
    END IF;
    IF is_capped THEN
        RETURN QUERY
        SELECT *
        FROM barkeep.queue_claim_capped(
            instant, wanted_kind, most, until, new_token, holder, from_rank, from_run_at, from_id, paused
        );
        RETURN;
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
    )
    SELECT job.* FROM taken JOIN barkeep.queue_job AS job USING (id);
END
$$;

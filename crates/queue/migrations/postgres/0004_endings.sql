-- What ends leases, as functions, for the reason that claims are one: the tables grow and shrink faster than their statistics
-- are brought up to date, and a plan made while one was empty reads all of it ever after, however many dead rows it has got.
-- So it is settled here that they are read by their indexes, and that nothing is planned twice in a session.

-- Ends jobs that were done under leases that still stand. Answers those leases.
CREATE FUNCTION barkeep.queue_complete(
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
        WHERE lease.id = done.id AND lease.token = done.token
        RETURNING lease.id, lease.token, lease.started_at, lease.worker, done.result, done.cost
    ),
    removed AS (
        DELETE FROM barkeep.queue_job AS job
        USING ended
        WHERE job.id = ended.id
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

-- Ends leases without success: by failure ('f'), by release ('r'), or by a crash ('c', which holds only if the lease
-- has run out). A job whose cancellation was asked for, or which may not be tried again, ends; any other waits again.
-- What a try cost is booked whichever way it ended; a crash cost what it was last told to have cost.
-- Answers those leases with outcome (null: waits again) and wait in microseconds.
CREATE FUNCTION barkeep.queue_settle(
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
        WHERE lease.id = try.id AND lease.token = try.token
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
        FROM ended JOIN barkeep.queue_job AS job USING (id)
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
        WHERE job.id = judged.id AND judged.outcome IS NULL
        RETURNING job.id, job.run_at, job.rank, job.kind, job.group_name
    ),
    queued AS (
        INSERT INTO barkeep.queue_ready (id, run_at, rank, kind, group_name)
        SELECT id, run_at, rank, kind, group_name FROM returned
    ),
    removed AS (
        DELETE FROM barkeep.queue_job AS job
        USING judged
        WHERE job.id = judged.id AND judged.outcome IS NOT NULL
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

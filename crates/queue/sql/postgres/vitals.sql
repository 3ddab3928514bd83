-- How the jobs of a kind are doing, in one look: one JSON object. Instants are microseconds since 1970.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now),
waiting AS (
    SELECT
        ready.run_at, ready.run_at <= now AS is_ready,
        EXISTS (
            SELECT FROM barkeep.queue_pause AS pause
            WHERE pause.kind = ready.kind OR pause.group_name = ready.group_name
        ) AS is_paused
    FROM barkeep.queue_ready AS ready, clock
    WHERE ready.kind = $2
),
held AS (
    SELECT lease.started_at, lease.lease_until
    FROM barkeep.queue_lease AS lease JOIN barkeep.queue_job AS job USING (id)
    WHERE job.kind = $2
),
ended AS (
    SELECT outcome, sum(jobs)::bigint AS jobs FROM barkeep.queue_tally WHERE kind = $2 GROUP BY outcome
),
failed AS (
    SELECT code, count(*) AS jobs
    FROM barkeep.queue_done, clock
    WHERE kind = $2 AND outcome = 1 AND finished_at > now - interval '1 hour'
    GROUP BY code
)
SELECT json_build_object(
    'now_us', round(extract(epoch FROM now) * 1000000)::bigint,
    'waiting', (SELECT count(*) FROM waiting WHERE NOT is_ready),
    'ready', (SELECT count(*) FROM waiting WHERE is_ready),
    'paused', (SELECT count(*) FROM waiting WHERE is_ready AND is_paused),
    'running', (SELECT count(*) FROM held),
    'workers', (SELECT count(*) FROM barkeep.queue_worker WHERE lease_until > now),
    'lapsed', (SELECT count(*) FROM held WHERE lease_until <= now),
    'crashes', (SELECT coalesce(sum(crashes), 0) FROM barkeep.queue_job WHERE kind = $2),
    'succeeded', coalesce((SELECT jobs FROM ended WHERE outcome = 0), 0),
    'failed', coalesce((SELECT jobs FROM ended WHERE outcome = 1), 0),
    'cancelled', coalesce((SELECT jobs FROM ended WHERE outcome = 2), 0),
    'oldest_ready_us',
    (SELECT round(extract(epoch FROM min(run_at)) * 1000000)::bigint FROM waiting WHERE is_ready AND NOT is_paused),
    'oldest_started_us', (SELECT round(extract(epoch FROM min(started_at)) * 1000000)::bigint FROM held),
    'failures', coalesce((SELECT json_object_agg(coalesce(code, ''), jobs) FROM failed), '{}'),
    'budgets', coalesce((
        SELECT json_agg(json_build_object(
            'name', name,
            'interval_us', interval_us,
            'spent_today', CASE WHEN day = (now AT TIME ZONE 'UTC')::date THEN day_spent ELSE 0 END,
            'is_blocked', blocked_until > now
        ) ORDER BY name)
        FROM barkeep.queue_budget
    ), '[]'),
    'beats', coalesce((
        SELECT json_agg(json_build_object(
            'name', name,
            'at_us', round(extract(epoch FROM beat_at) * 1000000)::bigint,
            'holder', holder,
            'note', note
        ) ORDER BY name)
        FROM barkeep.queue_beat
    ), '[]')
)::text
FROM clock

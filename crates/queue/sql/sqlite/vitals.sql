-- How the jobs of a kind are doing, in one look: one JSON object. Instants are microseconds since 1970.
WITH waiting AS (
    SELECT
        ready.run_at, ready.run_at <= $1 AS is_ready,
        EXISTS (
            SELECT 1 FROM queue_pause AS pause
            WHERE pause.kind = ready.kind OR pause.group_name = ready.group_name
        ) AS is_paused
    FROM queue_ready AS ready
    WHERE ready.kind = $2
),
held AS (
    SELECT lease.started_at, lease.lease_until
    FROM queue_lease AS lease JOIN queue_job AS job USING (id)
    WHERE job.kind = $2
),
ended AS (
    SELECT outcome, sum(jobs) AS jobs FROM queue_tally WHERE kind = $2 GROUP BY outcome
),
failed AS (
    SELECT code, count(*) AS jobs
    FROM queue_done
    WHERE kind = $2 AND outcome <> 0 AND outcome = 1 AND finished_at > $1 - 3600000000
    GROUP BY code
)
SELECT json_object(
    'now_us', $1,
    'waiting', (SELECT count(*) FROM waiting WHERE NOT is_ready),
    'ready', (SELECT count(*) FROM waiting WHERE is_ready),
    'paused', (SELECT count(*) FROM waiting WHERE is_ready AND is_paused),
    'running', (SELECT count(*) FROM held),
    'workers', (SELECT count(*) FROM queue_worker WHERE lease_until > $1),
    'lapsed', (SELECT count(*) FROM held WHERE lease_until <= $1),
    'crashes', (SELECT coalesce(sum(crashes), 0) FROM queue_job WHERE kind = $2),
    'succeeded', coalesce((SELECT jobs FROM ended WHERE outcome = 0), 0),
    'failed', coalesce((SELECT jobs FROM ended WHERE outcome = 1), 0),
    'cancelled', coalesce((SELECT jobs FROM ended WHERE outcome = 2), 0),
    'oldest_ready_us', (SELECT min(run_at) FROM waiting WHERE is_ready AND NOT is_paused),
    'oldest_started_us', (SELECT min(started_at) FROM held),
    'failures', coalesce((SELECT json_group_object(coalesce(code, ''), jobs) FROM failed), json('{}')),
    'budgets', coalesce((
        SELECT json_group_array(json_object(
            'name', name,
            'interval_us', interval_us,
            'spent_today', CASE WHEN day = $1 / 86400000000 THEN day_spent ELSE 0 END,
            'is_blocked', json(iif(blocked_until > $1, 'true', 'false'))
        ) ORDER BY name)
        FROM queue_budget
    ), json('[]')),
    'beats', coalesce((
        SELECT json_group_array(json_object('name', name, 'at_us', beat_at, 'holder', holder, 'note', json(note)) ORDER BY name)
        FROM queue_beat
    ), json('[]'))
)

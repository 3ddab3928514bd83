-- Leases the jobs that come first, as far as caps, pauses and budgets allow. Candidates that do not fit are of groups that
-- are full by then: asked again with the same token, it goes on with those behind them. Answers all of the token.
WITH used AS MATERIALIZED (SELECT kind, group_name, cap - running AS room FROM queue_use WHERE kind IN ('', $2))
INSERT INTO queue_lease (id, started_at, lease_until, token, worker, kind, group_name)
SELECT id, $1, $1 + $4, $5, $6, kind, group_name
FROM (
    SELECT id, kind, group_name, row_number() OVER (PARTITION BY group_name ORDER BY rank, run_at, id) AS place
    FROM (
        SELECT id, kind, group_name, rank, run_at
        FROM queue_ready
        WHERE kind = $2 AND run_at <= $1
            AND NOT EXISTS (SELECT 1 FROM queue_pause WHERE kind = $2)
            AND coalesce(group_name NOT IN (SELECT group_name FROM queue_pause WHERE kind = ''), true)
            AND coalesce(group_name NOT IN (SELECT group_name FROM used WHERE room <= 0), true)
            AND NOT EXISTS (
                SELECT 1
                FROM queue_budget_of AS spends JOIN queue_budget ON name = budget
                WHERE spends.kind = $2
                    AND (blocked_until > $1 OR (day = $1 / 86400000000 AND day_spent >= day_limit))
            )
        ORDER BY rank, run_at, id
        LIMIT max(min(
            $3 - (SELECT count(*) FROM queue_lease WHERE token = $5),
            coalesce((SELECT min(room) FROM used WHERE group_name = ''), $3)
        ), 0)
    )
) AS candidate
WHERE place <= coalesce((SELECT room FROM used WHERE used.group_name = candidate.group_name), $3);

DELETE FROM queue_ready
WHERE (kind, rank, run_at, id) IN (
    SELECT job.kind, job.rank, job.run_at, job.id
    FROM queue_lease JOIN queue_job AS job USING (id)
    WHERE token = $5
);

SELECT
    job.id, lease.lease_until, job.key, job.group_name, job.payload,
    job.rank, job.failures, job.max_attempts, job.crashes, job.run_at
FROM queue_lease AS lease JOIN queue_job AS job USING (id)
WHERE lease.token = $5
ORDER BY job.rank, job.run_at, job.id

-- The budget that the jobs of a kind spend from, and until when it hands out nothing, if it is exhausted.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now)
SELECT
    budget.name,
    greatest(
        blocked_until,
        CASE WHEN day = today AND day_spent >= day_limit THEN (today + 1)::timestamp AT TIME ZONE 'UTC' END
    )
FROM barkeep.queue_budget_of AS spends
JOIN barkeep.queue_budget AS budget ON budget.name = spends.budget,
    (SELECT now, (now AT TIME ZONE 'UTC')::date AS today FROM clock) AS clock
WHERE spends.kind = $2 AND (blocked_until > now OR (day = today AND day_spent >= day_limit))

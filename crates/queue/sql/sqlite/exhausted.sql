-- The budget that the jobs of a kind spend from, and until when it hands out nothing, if it is exhausted.
SELECT
    name,
    max(
        blocked_until,
        CASE WHEN day = $1 / 86400000000 AND day_spent >= day_limit THEN (day + 1) * 86400000000 ELSE 0 END
    )
FROM queue_budget_of JOIN queue_budget ON name = budget
WHERE kind = $2 AND (blocked_until > $1 OR (day = $1 / 86400000000 AND day_spent >= day_limit))

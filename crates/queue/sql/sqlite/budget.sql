-- How a budget stands: tokens to be had, blocked until, handed out today, day limit.
SELECT
    max(burst - (max(earned_at, $1) - $1 + interval_us - 1) / interval_us, 0),
    CASE WHEN blocked_until > $1 THEN blocked_until END,
    CASE WHEN day = $1 / 86400000000 THEN day_spent ELSE 0 END,
    day_limit
FROM queue_budget
WHERE name = $2

-- How a budget stands: tokens to be had, blocked until, handed out today, day limit.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now)
SELECT
    greatest(
        burst - ceil(round(extract(epoch FROM greatest(earned_at, now) - now) * 1000000) / interval_us), 0
    )::bigint,
    CASE WHEN blocked_until > now THEN blocked_until END,
    CASE WHEN day = (now AT TIME ZONE 'UTC')::date THEN day_spent ELSE 0 END,
    day_limit
FROM barkeep.queue_budget, clock
WHERE name = $2

-- Hands out tokens: as many as have been earned, up to the burst, as the day has left, and as are wanted. Answers how
-- many, for how long they are good, in how long to ask again if there are none, and the
-- ticket to give them back with: when they will have been earned.
UPDATE queue_budget
SET earned_at = answer.earned_at + answer.tokens * answer.interval_us,
    day = answer.today,
    day_spent = answer.day_spent + answer.tokens,
    granted = answer.tokens,
    wait_us = answer.wait_us
FROM (
    SELECT
        *,
        CASE WHEN blocked_until > $1 THEN 0 ELSE max(min(earned, left_today, $3), 0) END AS tokens,
        CASE
            WHEN blocked_until > $1 THEN blocked_until - $1
            WHEN left_today <= 0 THEN (today + 1) * 86400000000 - $1
            ELSE max(earned_at - $1 - (burst - 1) * interval_us, 0)
        END AS wait_us
    FROM (
        SELECT
            *,
            burst - (earned_at - $1 + interval_us - 1) / interval_us AS earned,
            coalesce(day_limit - day_spent, burst) AS left_today
        FROM (
            SELECT
                name, interval_us, burst, hold_us, day_limit, blocked_until,
                max(earned_at, $1) AS earned_at,
                $1 / 86400000000 AS today,
                CASE WHEN day = $1 / 86400000000 THEN day_spent ELSE 0 END AS day_spent
            FROM queue_budget
            WHERE name = $2
        )
    )
) AS answer
WHERE queue_budget.name = answer.name
RETURNING granted, hold_us, wait_us, earned_at + returned_us

-- Hands out tokens: as many as have been earned, up to the burst, as the day has left, and as are wanted. Answers how
-- many, for how long they are good, in how long to ask again if there are none, and the
-- ticket to give them back with: when they will have been earned.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now),
budget AS MATERIALIZED (
    SELECT
        name, interval_us, burst, hold_us, day_limit, blocked_until, now,
        greatest(earned_at, now) AS earned_at,
        (now AT TIME ZONE 'UTC')::date AS today,
        CASE WHEN day = (now AT TIME ZONE 'UTC')::date THEN day_spent ELSE 0 END AS day_spent
    FROM barkeep.queue_budget, clock
    WHERE name = $2
    FOR UPDATE OF queue_budget
),
stock AS MATERIALIZED (
    SELECT
        *,
        round(extract(epoch FROM earned_at - now) * 1000000)::bigint AS ahead_us,
        burst - ceil(round(extract(epoch FROM earned_at - now) * 1000000) / interval_us)::bigint AS earned,
        coalesce(day_limit - day_spent, burst) AS left_today
    FROM budget
),
granted AS MATERIALIZED (
    SELECT
        *,
        CASE WHEN blocked_until > now THEN 0 ELSE greatest(least(earned, left_today, $3::bigint), 0) END AS tokens,
        CASE
            WHEN blocked_until > now THEN blocked_until - now
            WHEN left_today <= 0 THEN (today + 1)::timestamp AT TIME ZONE 'UTC' - now
            ELSE greatest(ahead_us - (burst - 1) * interval_us, 0) * interval '1 microsecond'
        END AS wait
    FROM stock
)
UPDATE barkeep.queue_budget AS budget
SET earned_at = granted.earned_at + granted.tokens * granted.interval_us * interval '1 microsecond',
    day = granted.today,
    day_spent = granted.day_spent + granted.tokens
FROM granted
WHERE budget.name = granted.name
RETURNING
    granted.tokens, granted.hold_us, round(extract(epoch FROM granted.wait) * 1000000)::bigint,
    round(extract(epoch FROM budget.earned_at) * 1000000)::bigint + budget.returned_us

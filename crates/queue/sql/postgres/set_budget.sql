-- Makes a budget, or changes its rate.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now)
INSERT INTO barkeep.queue_budget
    (name, interval_us, burst, hold_us, day_limit, earned_at, blocked_until, day, day_spent)
SELECT $2, $3, $4, $5, $6, now, '-infinity', (now AT TIME ZONE 'UTC')::date, 0
FROM clock
ON CONFLICT (name) DO UPDATE
SET interval_us = excluded.interval_us, burst = excluded.burst, hold_us = excluded.hold_us,
    day_limit = excluded.day_limit

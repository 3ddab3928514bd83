-- Makes a budget, or changes its rate.
INSERT INTO queue_budget
    (name, interval_us, burst, hold_us, day_limit, earned_at, blocked_until, day, day_spent)
VALUES ($2, $3, $4, $5, $6, $1, 0, $1 / 86400000000, 0)
ON CONFLICT (name) DO UPDATE
SET interval_us = excluded.interval_us, burst = excluded.burst, hold_us = excluded.hold_us,
    day_limit = excluded.day_limit

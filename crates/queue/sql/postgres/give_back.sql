-- Takes tokens back that were not spent.
UPDATE barkeep.queue_budget
SET earned_at = earned_at - $2::bigint * interval_us * interval '1 microsecond',
    day_spent = greatest(day_spent - $2, 0)
WHERE name = $1

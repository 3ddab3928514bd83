-- Takes tokens back that were not spent.
UPDATE queue_budget
SET earned_at = earned_at - $2 * interval_us, day_spent = max(day_spent - $2, 0)
WHERE name = $1

-- Takes tokens back that were not spent. Only so far as they have not been earned since: what was handed out after them
-- stays counted in full.
UPDATE queue_budget
SET earned_at = earned_at - min(max($4 - returned_us - $1, 0), $3 * interval_us),
    returned_us = returned_us + min(max($4 - returned_us - $1, 0), $3 * interval_us),
    day_spent = CASE WHEN day = $1 / 86400000000 THEN max(day_spent - $3, 0) ELSE day_spent END
WHERE name = $2

-- Takes tokens back that were not spent. Only so far as they have not been earned since: what was handed out after them
-- stays counted in full.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now),
budget AS MATERIALIZED (
    SELECT
        name,
        least(
            greatest($4::bigint - returned_us - round(extract(epoch FROM now) * 1000000)::bigint, 0),
            $3::bigint * interval_us
        ) AS back_us,
        CASE WHEN day = (now AT TIME ZONE 'UTC')::date THEN greatest(day_spent - $3, 0) ELSE day_spent END AS day_spent
    FROM barkeep.queue_budget, clock
    WHERE name = $2
    FOR UPDATE OF queue_budget
)
UPDATE barkeep.queue_budget AS stored
SET earned_at = earned_at - budget.back_us * interval '1 microsecond',
    returned_us = returned_us + budget.back_us,
    day_spent = budget.day_spent
FROM budget
WHERE stored.name = budget.name

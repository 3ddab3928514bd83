-- Hands out nothing for a while.
UPDATE barkeep.queue_budget
SET blocked_until = greatest(
    blocked_until, statement_timestamp() + ($1::bigint + $3::bigint) * interval '1 microsecond'
)
WHERE name = $2

-- Hands out nothing for a while.
UPDATE queue_budget SET blocked_until = max(blocked_until, $1 + $3) WHERE name = $2

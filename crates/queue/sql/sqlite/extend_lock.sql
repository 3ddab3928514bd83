-- Holds a lock for longer, if the token is its holder's. One that ran out, but that nobody took, is held again.
UPDATE queue_lock
SET lease_until = $1 + $4
WHERE name = $2 AND token = $3

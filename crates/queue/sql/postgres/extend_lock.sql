-- Holds a lock for longer, if the token is its holder's. One that ran out, but that nobody took, is held again.
UPDATE barkeep.queue_lock
SET lease_until = statement_timestamp() + ($1::bigint + $4::bigint) * interval '1 microsecond'
WHERE name = $2 AND token = $3

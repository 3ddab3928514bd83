-- Leases that have run out, for settle.sql, which asks again before it takes them back.
SELECT id, token
FROM barkeep.queue_lease
WHERE lease_until <= statement_timestamp() + $1::bigint * interval '1 microsecond'
LIMIT $2

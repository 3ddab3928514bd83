-- Leases that have run out, for settle.sql, which asks again before it takes them back.
SELECT id, token
FROM queue_lease
WHERE lease_until <= $1
LIMIT $2

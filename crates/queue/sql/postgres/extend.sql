-- Makes leases hold for longer. Answers those that still stood, and whether to cancel.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now)
UPDATE barkeep.queue_lease AS lease
SET lease_until = now + $4::bigint * interval '1 microsecond'
FROM clock, unnest($2::bigint[], $3::uuid[]) AS held (id, token)
WHERE lease.id = held.id AND lease.token = held.token
RETURNING lease.id, lease.token, cancel_requested

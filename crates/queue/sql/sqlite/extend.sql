-- Makes leases hold for longer. Answers those that still stood, and whether to cancel.
UPDATE queue_lease
SET lease_until = $1 + $3
WHERE (id, token) IN (SELECT value ->> 'id', value ->> 'token' FROM json_each($2))
RETURNING id, token, cancel_requested

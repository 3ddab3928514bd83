-- Takes a lock that nobody holds, or whose holder's lease has run out. Answers until when.
INSERT INTO queue_lock AS held (name, lease_until, token, holder)
VALUES ($2, $1 + $3, $4, $5)
ON CONFLICT (name) DO UPDATE
SET lease_until = excluded.lease_until, token = excluded.token, holder = excluded.holder
WHERE held.lease_until <= $1
RETURNING lease_until

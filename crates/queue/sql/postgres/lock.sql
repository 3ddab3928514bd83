-- Takes a lock that nobody holds, or whose holder's lease has run out. Answers until when.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now)
INSERT INTO barkeep.queue_lock AS held (name, lease_until, token, holder)
SELECT $2, now + $3::bigint * interval '1 microsecond', $4, $5 FROM clock
ON CONFLICT (name) DO UPDATE
SET lease_until = excluded.lease_until, token = excluded.token, holder = excluded.holder
WHERE held.lease_until <= (SELECT now FROM clock)
RETURNING lease_until

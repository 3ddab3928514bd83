-- Notes down that a worker lives, and forgets those that died more than a day ago.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now),
forgotten AS (
    DELETE FROM barkeep.queue_worker WHERE lease_until < (SELECT now FROM clock) - interval '1 day' AND id <> $2
)
INSERT INTO barkeep.queue_worker (id, started_at, seen_at, lease_until, pid, running, name, host, version, kinds)
SELECT $2, now, now, now + $3::bigint * interval '1 microsecond', $4, $5, $6, $7, $8, $9
FROM clock
ON CONFLICT (id) DO UPDATE
SET seen_at = excluded.seen_at, lease_until = excluded.lease_until, running = excluded.running

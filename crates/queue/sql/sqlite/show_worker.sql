-- Notes down that a worker lives, and forgets those that died more than a day ago.
INSERT INTO queue_worker (id, started_at, seen_at, lease_until, pid, running, name, host, version, kinds)
VALUES ($2, $1, $1, $1 + $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO UPDATE
SET seen_at = excluded.seen_at, lease_until = excluded.lease_until, running = excluded.running;

DELETE FROM queue_worker WHERE lease_until < $1 - 86400000000

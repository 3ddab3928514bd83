-- Workers, and whether they live.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now)
SELECT id, name, host, pid, version, kinds, running, started_at, seen_at, lease_until > now
FROM barkeep.queue_worker, clock
ORDER BY started_at, name, id

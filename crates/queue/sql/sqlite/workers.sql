-- Workers, and whether they live.
SELECT id, name, host, pid, version, kinds, running, started_at, seen_at, lease_until > $1
FROM queue_worker
ORDER BY started_at, name, id

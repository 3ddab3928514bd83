-- finds: slices that have been running for more than 10 minutes, leases that nobody takes back, ticks that stay away from them
SELECT 'slice ' || id AS what, worker AS who, started_at AS since
FROM barkeep.jobs_v1
WHERE state = 'running' AND (started_at < now() - interval '10 minutes' OR lease_until < now() - interval '2 minutes')
UNION ALL
SELECT 'ticks', holder, beat_at
FROM barkeep.beats_v1
WHERE name = 'tick' AND beat_at < now() - interval '5 minutes'
    AND EXISTS (SELECT 1 FROM barkeep.jobs_v1 WHERE state IN ('waiting', 'ready', 'running'))
ORDER BY since
LIMIT 50

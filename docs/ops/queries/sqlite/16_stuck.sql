-- finds: slices that have been running for more than 10 minutes, leases that nobody takes back, ticks that stay away from them
SELECT 'slice ' || id AS what, worker AS who, started_at AS since
FROM jobs_v1
WHERE state = 'running'
    AND (started_at_us < (unixepoch() - 600) * 1000000
        OR lease_until < strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-2 minutes'))
UNION ALL
SELECT 'ticks', holder, beat_at
FROM beats_v1
WHERE name = 'tick' AND beat_at_us < (unixepoch() - 300) * 1000000
    AND EXISTS (SELECT 1 FROM jobs_v1 WHERE state IN ('waiting', 'ready', 'running'))
ORDER BY since
LIMIT 50

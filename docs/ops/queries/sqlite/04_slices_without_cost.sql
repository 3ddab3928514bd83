-- finds: slices of the last day that wrote bars and cost no request
SELECT id, definition, finished_at, result ->> '$.bars_written' AS bars_written
FROM jobs_v1
WHERE kind = 'slice' AND state = 'succeeded' AND finished_at_us > (unixepoch() - 86400) * 1000000
    AND coalesce(requests, 0) = 0 AND result ->> '$.bars_written' > 0
ORDER BY id
LIMIT 50

-- shows: slices by definition
SELECT
    definition,
    count(*) FILTER (WHERE state = 'running') AS running,
    count(*) FILTER (WHERE state IN ('waiting', 'ready')) AS waiting,
    count(*) FILTER (WHERE state = 'succeeded') AS succeeded,
    count(*) FILTER (WHERE state = 'failed') AS failed,
    sum((result ->> 'bars_written')::bigint) AS bars
FROM barkeep.jobs_v1
WHERE kind = 'slice'
GROUP BY definition
ORDER BY definition

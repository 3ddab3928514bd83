-- finds: live slices that ask for the same series and time
WITH asked AS (
    SELECT
        job.id, symbol.value AS symbol, payload ->> '$.timeframe' AS timeframe, payload ->> '$.feed' AS feed,
        payload ->> '$.adjustment' AS adjustment,
        unixepoch(payload ->> '$.range.start') AS starts_at, unixepoch(payload ->> '$.range.end') AS ends_at
    FROM jobs_v1 AS job, json_each(payload, '$.symbols') AS symbol
    WHERE job.kind = 'slice' AND state IN ('waiting', 'ready', 'running')
)
SELECT one.id, other.id AS other, one.symbol, one.timeframe
FROM asked AS one
JOIN asked AS other USING (symbol, timeframe, feed, adjustment)
WHERE one.id < other.id AND one.starts_at < other.ends_at AND other.starts_at < one.ends_at
ORDER BY one.id, other.id, one.symbol
LIMIT 50

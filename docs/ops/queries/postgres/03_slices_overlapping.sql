-- finds: live slices that ask for the same series and time
WITH asked AS (
    SELECT
        id, symbol, payload ->> 'timeframe' AS timeframe, payload ->> 'feed' AS feed, payload ->> 'adjustment' AS adjustment,
        (payload -> 'range' ->> 'start')::timestamptz AS starts_at, (payload -> 'range' ->> 'end')::timestamptz AS ends_at
    FROM barkeep.jobs_v1, json_array_elements_text(payload -> 'symbols') AS symbol
    WHERE kind = 'slice' AND state IN ('waiting', 'ready', 'running')
)
SELECT one.id, other.id AS other, one.symbol, one.timeframe
FROM asked AS one
JOIN asked AS other USING (symbol, timeframe, feed, adjustment)
WHERE one.id < other.id AND one.starts_at < other.ends_at AND other.starts_at < one.ends_at
ORDER BY one.id, other.id, one.symbol
LIMIT 50

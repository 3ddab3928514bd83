-- shows: bars written within the last hour. Reads every bar
SELECT symbol, timeframe, count(*) AS bars, min(starts_at) AS first, max(starts_at) AS last
FROM bars_v1
WHERE fetched_at > strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-1 hour')
GROUP BY symbol, timeframe
ORDER BY symbol, timeframe
LIMIT 50

-- finds: bars that stand for the same time: two of a day, two of a week, or one off its grid. Reads every bar
SELECT symbol, timeframe, feed, starts_at, strftime('%Y-%m-%dT%H:%M:%SZ', before, 'unixepoch') AS before
FROM (
    SELECT *, lag(starts_at_unix) OVER (
        PARTITION BY provider, symbol, timeframe, feed, adjustment ORDER BY starts_at_unix
    ) AS before
    FROM bars_v1
) AS bar
WHERE (timeframe = 'd1' AND starts_at_unix - before < 20 * 3600)
    OR (timeframe = 'w1' AND starts_at_unix - before < 6 * 86400)
    OR (timeframe = 'm1' AND starts_at_unix % 60 <> 0)
    OR (timeframe = 'm5' AND starts_at_unix % 300 <> 0)
    OR (timeframe = 'm15' AND starts_at_unix % 900 <> 0)
    OR (timeframe IN ('m30', 'h1') AND starts_at_unix % 1800 <> 0)
ORDER BY symbol, timeframe, starts_at_unix
LIMIT 50

-- finds: bars that stand for the same time: two of a day, two of a week, or one off its grid. Reads every bar
SELECT symbol, timeframe, feed, starts_at, before
FROM (
    SELECT *, lag(starts_at) OVER (PARTITION BY provider, symbol, timeframe, feed, adjustment ORDER BY starts_at) AS before
    FROM barkeep.bars_v1
) AS bar
WHERE (timeframe = 'd1' AND starts_at - before < interval '20 hours')
    OR (timeframe = 'w1' AND starts_at - before < interval '6 days')
    OR (timeframe = 'm1' AND extract(epoch FROM starts_at)::bigint % 60 <> 0)
    OR (timeframe = 'm5' AND extract(epoch FROM starts_at)::bigint % 300 <> 0)
    OR (timeframe = 'm15' AND extract(epoch FROM starts_at)::bigint % 900 <> 0)
    OR (timeframe IN ('m30', 'h1') AND extract(epoch FROM starts_at)::bigint % 1800 <> 0)
ORDER BY symbol, timeframe, starts_at
LIMIT 50

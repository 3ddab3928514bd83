-- finds: fetched time with other bars than its page had: added or deleted by other hands. Reads every bar
SELECT span.symbol, span.timeframe, span.starts_at, span.ends_at, span.rows AS noted, count(bar.starts_at) AS stored
FROM coverage_v1 AS span
LEFT JOIN bars_v1 AS bar
    ON bar.provider = span.provider AND bar.symbol = span.symbol AND bar.timeframe = span.timeframe
    AND bar.feed = span.feed AND bar.adjustment = span.adjustment
    AND bar.starts_at_unix >= span.starts_at_unix AND bar.starts_at_unix < span.ends_at_unix
GROUP BY span.provider, span.symbol, span.timeframe, span.feed, span.adjustment, span.starts_at_unix
HAVING count(bar.starts_at) <> span.rows
ORDER BY span.symbol, span.timeframe, span.starts_at_unix
LIMIT 50

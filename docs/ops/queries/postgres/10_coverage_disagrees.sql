-- finds: fetched time with other bars than its page had: added or deleted by other hands. Reads every bar
SELECT span.symbol, span.timeframe, span.starts_at, span.ends_at, span.rows AS noted, count(bar.starts_at) AS stored
FROM barkeep.coverage_v1 AS span
LEFT JOIN barkeep.bars_v1 AS bar
    ON bar.provider = span.provider AND bar.symbol = span.symbol AND bar.timeframe = span.timeframe
    AND bar.feed = span.feed AND bar.adjustment = span.adjustment
    AND bar.starts_at >= span.starts_at AND bar.starts_at < span.ends_at
GROUP BY span.provider, span.symbol, span.timeframe, span.feed, span.adjustment, span.starts_at, span.ends_at, span.rows
HAVING count(bar.starts_at) <> span.rows
ORDER BY span.symbol, span.timeframe, span.starts_at
LIMIT 50

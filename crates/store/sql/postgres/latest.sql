-- The last bar of each of many series: one step along the key for each.
SELECT asked.question - 1, bar.*
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
    WITH ORDINALITY AS asked (symbol, timeframe, feed, adjustment, question)
JOIN barkeep.store_series AS series
    ON series.provider = $1
    AND series.symbol = asked.symbol
    AND series.timeframe = asked.timeframe
    AND series.feed = asked.feed
    AND series.adjustment = asked.adjustment
CROSS JOIN LATERAL (
    SELECT starts_at, open, high, low, close, volume, vwap, trade_count
    FROM barkeep.store_bar
    WHERE series_id = series.series_id
    ORDER BY starts_at DESC
    LIMIT 1
) AS bar

-- The years of many series in which bars were rewritten, with their marks.
SELECT asked.question - 1, rewritten.year::int8, rewritten.mark
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
    WITH ORDINALITY AS asked (symbol, timeframe, feed, adjustment, question)
JOIN barkeep.store_series AS series
    ON series.provider = $1
    AND series.symbol = asked.symbol
    AND series.timeframe = asked.timeframe
    AND series.feed = asked.feed
    AND series.adjustment = asked.adjustment
JOIN barkeep.store_rewrite AS rewritten USING (series_id)
ORDER BY asked.question, rewritten.year

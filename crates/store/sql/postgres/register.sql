-- Gives ids to the series that have none. Sorted, so that two writers do not wait for each other crosswise; only the
-- missing ones are inserted, since an id is spent even on a row that conflicts.
INSERT INTO barkeep.store_series (provider, symbol, timeframe, feed, adjustment)
SELECT $1, asked.symbol, asked.timeframe, asked.feed, asked.adjustment
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
    WITH ORDINALITY AS asked (symbol, timeframe, feed, adjustment, question)
WHERE NOT EXISTS (
    SELECT 1
    FROM barkeep.store_series AS series
    WHERE series.provider = $1
        AND series.symbol = asked.symbol
        AND series.timeframe = asked.timeframe
        AND series.feed = asked.feed
        AND series.adjustment = asked.adjustment
)
ORDER BY asked.question
ON CONFLICT DO NOTHING

-- The ids of series asked for as arrays of symbols, timeframes, feeds and adjustments; and whether a page of the digest $6
-- was stored when their revisions came to the same sum: nothing that it said was revised since.
SELECT
    asked.question - 1, series.series_id::int8, series.revision,
    ((sum(series.revision) OVER ())::int8 IN (SELECT revision FROM barkeep.store_batch WHERE digest = $6))::int4::int8
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
    WITH ORDINALITY AS asked (symbol, timeframe, feed, adjustment, question)
JOIN barkeep.store_series AS series
    ON series.provider = $1
    AND series.symbol = asked.symbol
    AND series.timeframe = asked.timeframe
    AND series.feed = asked.feed
    AND series.adjustment = asked.adjustment

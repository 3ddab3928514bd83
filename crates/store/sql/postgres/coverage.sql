-- What many series cover, in one answer.
SELECT asked.question - 1, span.starts_at, span.ends_at, span.state, span.rows, span.empty_checks::int8, span.fetched_at
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
    WITH ORDINALITY AS asked (symbol, timeframe, feed, adjustment, question)
JOIN barkeep.store_series AS series
    ON series.provider = $1
    AND series.symbol = asked.symbol
    AND series.timeframe = asked.timeframe
    AND series.feed = asked.feed
    AND series.adjustment = asked.adjustment
JOIN barkeep.store_coverage AS span USING (series_id)
ORDER BY asked.question, span.starts_at

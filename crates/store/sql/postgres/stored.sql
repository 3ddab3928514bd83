-- The bars of many series within a range each, to be compared with a page.
SELECT asked.question - 1, bar.*
FROM unnest($1::int4[], $2::timestamptz[], $3::timestamptz[])
    WITH ORDINALITY AS asked (series_id, starts_at, ends_at, question)
CROSS JOIN LATERAL (
    SELECT starts_at, open, high, low, close, volume, vwap, trade_count
    FROM barkeep.store_bar
    WHERE series_id = asked.series_id AND starts_at >= asked.starts_at AND starts_at < asked.ends_at
    -- One walk along the key for each series, rather than a join over the whole table.
    ORDER BY starts_at
) AS bar

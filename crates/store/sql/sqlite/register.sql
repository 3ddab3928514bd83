-- Gives ids to the series that have none.
INSERT INTO store_series (provider, symbol, timeframe, feed, adjustment)
SELECT ?1, asked.value ->> 0, asked.value ->> 1, asked.value ->> 2, asked.value ->> 3
FROM json_each(?2) AS asked
-- Tells the parser that the ON below is none of a join.
WHERE TRUE
ORDER BY asked.key
ON CONFLICT DO NOTHING

-- Every series of a provider.
SELECT symbol, timeframe, feed, adjustment
FROM barkeep.store_series
WHERE provider = $1
ORDER BY symbol, timeframe, feed, adjustment

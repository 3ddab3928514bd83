-- Everything refused.
SELECT symbol, timeframe, feed, adjustment, code, reason, rejected_at
FROM barkeep.catalog_rejection

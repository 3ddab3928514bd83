-- Everything refused.
SELECT symbol, timeframe, feed, adjustment, code, reason, rejected_at
FROM catalog_rejection

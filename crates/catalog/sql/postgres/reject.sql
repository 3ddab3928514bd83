INSERT INTO barkeep.catalog_rejection (symbol, timeframe, feed, adjustment, code, reason)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (symbol, timeframe, feed, adjustment)
DO UPDATE SET code = excluded.code, reason = excluded.reason, rejected_at = clock_timestamp()

-- A refusal; the latest reason counts.
INSERT INTO barkeep.catalog_rejection (symbol, timeframe, feed, adjustment, code, reason, rejected_at)
VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())
ON CONFLICT (symbol, timeframe, feed, adjustment) DO UPDATE
SET code = excluded.code, reason = excluded.reason, rejected_at = excluded.rejected_at

-- A refusal forgotten.
DELETE FROM barkeep.catalog_rejection
WHERE symbol = $1 AND timeframe = $2 AND feed = $3 AND adjustment = $4

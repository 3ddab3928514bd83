-- What earlier pages proved of these series may be true no more.
UPDATE store_series SET revision = revision + 1 WHERE series_id IN (SELECT value FROM json_each(?1))

-- What earlier pages proved of these series may be true no more.
UPDATE barkeep.store_series SET revision = revision + 1 WHERE series_id = ANY ($1)

-- Keeps former values from now on, unless they are kept already; tells since when.
INSERT INTO barkeep.store_history AS history (provider, since)
VALUES ($1, clock_timestamp())
ON CONFLICT (provider) DO UPDATE SET since = history.since
RETURNING since

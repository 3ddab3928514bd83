-- Keeps former values from now on, unless they are kept already; tells since when.
INSERT INTO store_history (provider, since)
VALUES (?1, CAST(1000 * unixepoch('subsec') AS INTEGER))
ON CONFLICT (provider) DO UPDATE SET since = since
RETURNING since

-- The sum of the revisions. BEGIN IMMEDIATE has locked out all other writers already.
SELECT coalesce(sum(revision), 0) FROM store_series WHERE series_id IN (SELECT value FROM json_each(?1))

-- SQLite asks an index while it tells it: there is nothing to do.
SELECT 1;

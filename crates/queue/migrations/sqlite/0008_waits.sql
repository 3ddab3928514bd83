-- SQLite has one writer: there is nothing to be done at the same time.
SELECT 1;

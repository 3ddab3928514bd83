-- SQLite has one writer, so that claims take turns in any case: there is nothing to do.
SELECT 1;

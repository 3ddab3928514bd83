-- SQLite takes few steps for a claim in any case: there is nothing to do.
SELECT 1;

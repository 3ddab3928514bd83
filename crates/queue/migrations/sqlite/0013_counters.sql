-- On SQLite what runs under a cap is counted when it is asked for: there is nothing to do.
SELECT 1;

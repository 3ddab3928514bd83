-- SQLite looks live jobs and leases up by id in any case: there is nothing to do.
SELECT 1;

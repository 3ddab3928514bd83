-- SQLite chooses an index by a table's shape, not by how full it was when a statement was planned: there is nothing to do.
SELECT 1;

-- The partition of a year, if bars of that year may go straight into it: through the table of all years each bar has its
-- partition looked up. Asked after the comparison, whose lock on that table lasts as long as the transaction, so that a
-- partition stays one; and asked of the catalog as it is now, not of this transaction's picture of it.
SELECT relname::text
FROM pg_class
WHERE oid = to_regclass('barkeep.store_bar_' || $1)
    AND pg_partition_root(oid) = to_regclass('barkeep.store_bar')
    AND has_table_privilege(oid, 'INSERT')

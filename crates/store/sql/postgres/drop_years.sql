-- Drops the partitions of years that have passed whole; tells how many.
SELECT barkeep.store_drop_years($1, $2)

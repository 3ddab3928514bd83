-- Makes the partitions of some years, of this one and of the next.
SELECT barkeep.store_make_room($1)

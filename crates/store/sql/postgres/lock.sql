-- Keeps other writers away from these series until the transaction ends, then tells the sum of their revisions.
SELECT barkeep.store_lock($1)

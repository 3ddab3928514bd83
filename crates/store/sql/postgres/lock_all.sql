-- Keeps all other writers away until the transaction ends.
SELECT barkeep.store_lock_all()

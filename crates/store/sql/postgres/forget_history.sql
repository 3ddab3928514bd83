-- Keeps no more former values of a provider's bars.
DELETE FROM barkeep.store_history WHERE provider = $1

-- Begins a change: one at a time, since the row is locked until the transaction ends.
UPDATE barkeep.catalog_revision SET revision = revision + 1 RETURNING revision

-- Begins a change: one at a time.
UPDATE catalog_revision SET revision = revision + 1 RETURNING revision

-- A definition in place of the one of that name.
INSERT INTO barkeep.catalog_definition (name, enabled, priority, definition)
VALUES ($1, $2, $3, $4::jsonb)
ON CONFLICT (name) DO UPDATE
SET enabled = excluded.enabled, priority = excluded.priority, definition = excluded.definition

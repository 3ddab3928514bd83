-- A definition in place of the one of that name.
INSERT INTO catalog_definition (name, enabled, priority, definition)
VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (name) DO UPDATE
SET enabled = excluded.enabled, priority = excluded.priority, definition = excluded.definition

-- A definition less.
DELETE FROM barkeep.catalog_definition WHERE name = $1

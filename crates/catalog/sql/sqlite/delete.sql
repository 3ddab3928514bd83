-- A definition less.
DELETE FROM catalog_definition WHERE name = ?1

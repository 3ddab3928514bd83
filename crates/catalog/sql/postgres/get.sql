-- One definition.
SELECT definition::text FROM barkeep.catalog_definition WHERE name = $1

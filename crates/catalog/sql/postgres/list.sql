-- Every definition.
SELECT definition::text FROM barkeep.catalog_definition ORDER BY name

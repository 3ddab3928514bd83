-- One setting.
SELECT value::text FROM barkeep.catalog_setting WHERE name = $1

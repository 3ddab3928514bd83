-- A setting less.
DELETE FROM barkeep.catalog_setting WHERE name = $1

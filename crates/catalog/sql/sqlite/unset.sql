-- A setting less.
DELETE FROM catalog_setting WHERE name = ?1

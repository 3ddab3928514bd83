-- One setting.
SELECT value FROM catalog_setting WHERE name = ?1

-- Every setting.
SELECT name, value::text, set_at, set_by FROM barkeep.catalog_setting ORDER BY name

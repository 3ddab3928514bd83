-- Every setting.
SELECT name, value, set_at, set_by FROM catalog_setting ORDER BY name

-- The latest changes of settings.
SELECT revision, changed_at, name, changed_by, before, after
FROM catalog_setting_change
ORDER BY revision DESC, name
LIMIT ?1

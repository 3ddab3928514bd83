-- The latest changes of settings.
SELECT revision, changed_at, name, changed_by, before::text, after::text
FROM barkeep.catalog_setting_change
ORDER BY revision DESC, name
LIMIT $1

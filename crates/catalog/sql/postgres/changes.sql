-- The latest changes.
SELECT changed_at, name, kind, before::text, after::text
FROM barkeep.catalog_change
ORDER BY revision DESC, name
LIMIT $1

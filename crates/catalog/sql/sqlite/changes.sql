-- The latest changes.
SELECT changed_at, name, kind, before, after
FROM catalog_change
ORDER BY revision DESC, name
LIMIT ?1

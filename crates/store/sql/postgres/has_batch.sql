-- Whether this very page was stored, and nothing it said was revised since.
SELECT EXISTS (SELECT 1 FROM barkeep.store_batch WHERE digest = $1 AND revision = $2)

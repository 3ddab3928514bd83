-- What a change did to one definition.
INSERT INTO barkeep.catalog_change (revision, name, kind, before, after)
VALUES ($1, $2, $3, $4::jsonb, $5::jsonb)

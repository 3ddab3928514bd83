-- What a change did to one definition.
INSERT INTO catalog_change (revision, name, kind, changed_at, before, after)
VALUES (?1, ?2, ?3, unixepoch(), ?4, ?5)

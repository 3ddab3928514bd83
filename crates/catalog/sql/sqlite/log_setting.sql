-- What a change did to one setting.
INSERT INTO catalog_setting_change (revision, name, changed_at, changed_by, before, after)
VALUES (?1, ?2, unixepoch(), ?3, ?4, ?5)

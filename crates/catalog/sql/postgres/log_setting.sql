-- What a change did to one setting.
INSERT INTO barkeep.catalog_setting_change (revision, name, changed_by, before, after)
VALUES ($1, $2, $3, $4::json, $5::json)

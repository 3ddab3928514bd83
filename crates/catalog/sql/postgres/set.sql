-- A value in place of the one of that name.
INSERT INTO barkeep.catalog_setting (name, value, set_at, set_by)
VALUES ($1, $2::json, clock_timestamp(), $3)
ON CONFLICT (name) DO UPDATE
SET value = excluded.value, set_at = excluded.set_at, set_by = excluded.set_by

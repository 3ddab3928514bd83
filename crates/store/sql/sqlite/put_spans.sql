-- A span as it shall be, named by where it starts. Without an instant, it was fetched now.
INSERT INTO store_coverage (series_id, starts_at, ends_at, state, rows, empty_checks, fetched_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, coalesce(?7, unixepoch()))
ON CONFLICT (series_id, starts_at) DO UPDATE
SET ends_at = excluded.ends_at,
    state = excluded.state,
    rows = excluded.rows,
    empty_checks = excluded.empty_checks,
    fetched_at = excluded.fetched_at

-- Spans as they shall be, named by where they start. Without an instant, they were fetched now.
INSERT INTO barkeep.store_coverage (series_id, starts_at, ends_at, state, rows, empty_checks, fetched_at)
SELECT series_id, starts_at, ends_at, state, rows, empty_checks, coalesce(fetched_at, clock_timestamp())
FROM unnest(
    $1::int4[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::int8[], $6::int4[], $7::timestamptz[]
) AS new (series_id, starts_at, ends_at, state, rows, empty_checks, fetched_at)
ON CONFLICT (series_id, starts_at) DO UPDATE
SET ends_at = excluded.ends_at,
    state = excluded.state,
    rows = excluded.rows,
    empty_checks = excluded.empty_checks,
    fetched_at = excluded.fetched_at

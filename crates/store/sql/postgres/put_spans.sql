-- Spans as they shall be, named by where they start; without an instant, they were fetched now. And where the rows of a page
-- come from, if rows come: one statement, since each is a round trip in which the connection does nothing else.
WITH spans AS (
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
)
INSERT INTO barkeep.store_batch (request, inserted, revised, digest, revision)
SELECT $8::text, $9::int8, $10::int8, $11::bytea, $12::int8
WHERE $9 IS NOT NULL
RETURNING batch_id::int8

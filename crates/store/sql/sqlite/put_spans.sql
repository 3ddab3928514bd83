-- Spans as they shall be, named by series and start, as a JSON array of [series, start, end, state, rows, empty checks,
-- fetched at]. Without an instant, a span was fetched now.
INSERT INTO store_coverage (series_id, starts_at, ends_at, state, rows, empty_checks, fetched_at)
SELECT
    span.value ->> 0, span.value ->> 1, span.value ->> 2, span.value ->> 3, span.value ->> 4, span.value ->> 5,
    coalesce(span.value ->> 6, unixepoch())
FROM json_each(?1) AS span
-- Without a condition, ON CONFLICT would be read as that of a join.
WHERE true
ON CONFLICT (series_id, starts_at) DO UPDATE
SET ends_at = excluded.ends_at,
    state = excluded.state,
    rows = excluded.rows,
    empty_checks = excluded.empty_checks,
    fetched_at = excluded.fetched_at

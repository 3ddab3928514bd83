-- Takes back what coverage says of the time before $2; a span that goes on after it keeps the rest.
WITH gone AS (
    DELETE FROM barkeep.store_coverage AS span
    USING barkeep.store_series AS series
    WHERE series.provider = $1 AND span.series_id = series.series_id AND span.starts_at < $2
    RETURNING span.*
),
rest AS (
    SELECT
        gone.*,
        (
            SELECT count(*)
            FROM barkeep.store_bar AS bar
            WHERE bar.series_id = gone.series_id AND bar.starts_at >= $2 AND bar.starts_at < gone.ends_at
        ) AS rows_left
    FROM gone
    WHERE ends_at > $2
)
INSERT INTO barkeep.store_coverage (series_id, starts_at, ends_at, state, rows, empty_checks, fetched_at)
SELECT
    series_id, $2, ends_at, state, rows_left, CASE WHEN rows_left > 0 THEN 0 ELSE greatest(empty_checks, 1) END, fetched_at
FROM rest

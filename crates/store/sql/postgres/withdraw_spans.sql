-- Takes back what coverage says of the time before $2, of up to $3 spans; tells of how many. A span that goes on after it
-- keeps the rest, less the bars that are to go. Those are counted, so few spans are done in one transaction.
WITH old AS MATERIALIZED (
    SELECT span.series_id, span.starts_at
    FROM barkeep.store_series AS series
    JOIN barkeep.store_coverage AS span USING (series_id)
    WHERE series.provider = $1 AND span.starts_at < $2
    LIMIT $3
),
gone AS (
    DELETE FROM barkeep.store_coverage AS span
    USING old
    WHERE span.series_id = old.series_id AND span.starts_at = old.starts_at
    RETURNING span.*
),
bumped AS (
    UPDATE barkeep.store_series
    SET revision = revision + 1
    WHERE series_id IN (SELECT series_id FROM gone)
),
-- Of the years of which something is gone.
noted AS (
    INSERT INTO barkeep.store_rewrite (series_id, year, mark)
    SELECT DISTINCT ON (series_id, year) series_id, year, gen_random_uuid()::text
    FROM gone
    CROSS JOIN generate_series(
        extract(year FROM gone.starts_at AT TIME ZONE 'UTC')::int4,
        extract(year FROM least(gone.ends_at, $2) AT TIME ZONE 'UTC')::int4
    ) AS year
    ON CONFLICT (series_id, year) DO UPDATE SET mark = excluded.mark
),
rest AS (
    SELECT
        gone.*,
        rows - (
            SELECT count(*)
            FROM barkeep.store_bar AS bar
            WHERE bar.series_id = gone.series_id AND bar.starts_at >= gone.starts_at AND bar.starts_at < $2
        ) AS rows_left
    FROM gone
    WHERE ends_at > $2
),
kept AS (
    INSERT INTO barkeep.store_coverage (series_id, starts_at, ends_at, state, rows, empty_checks, fetched_at)
    SELECT
        series_id, $2, ends_at, state, rows_left, CASE WHEN rows_left > 0 THEN 0 ELSE greatest(empty_checks, 1) END,
        fetched_at
    FROM rest
)
SELECT count(*) FROM gone

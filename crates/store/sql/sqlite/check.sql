-- Where bars and coverage do not agree. Reads every bar.
WITH found (kind, series_id, starts_at, ends_at, first_count, second_count) AS (
    SELECT * FROM (
        SELECT
            'rows_differ', span.series_id, span.starts_at, span.ends_at, span.rows,
            (
                SELECT count(*)
                FROM store_bar AS bar
                WHERE bar.series_id = span.series_id
                    AND bar.starts_at >= span.starts_at AND bar.starts_at < span.ends_at
            ) AS stored
        FROM store_coverage AS span
    )
    WHERE rows <> stored
    UNION ALL
    SELECT 'uncovered', bar.series_id, min(bar.starts_at), max(bar.starts_at), count(*), 0
    FROM store_bar AS bar
    WHERE NOT EXISTS (
        SELECT 1
        FROM store_coverage AS span
        WHERE span.series_id = bar.series_id AND span.starts_at <= bar.starts_at AND span.ends_at > bar.starts_at
    )
    GROUP BY bar.series_id
    UNION ALL
    SELECT 'overlapping', series_id, starts_at, ends_at, 0, 0
    FROM (
        SELECT series_id, starts_at, ends_at, lag(ends_at) OVER (PARTITION BY series_id ORDER BY starts_at) AS previous
        FROM store_coverage
    )
    WHERE starts_at < previous
    UNION ALL
    SELECT 'unknown_origin', bar.series_id, NULL, NULL, count(*), 0
    FROM store_bar AS bar
    WHERE NOT EXISTS (SELECT 1 FROM store_batch AS batch WHERE batch.batch_id = bar.batch_id)
    GROUP BY bar.series_id
    UNION ALL
    SELECT 'orphaned', series_id, NULL, NULL, sum(bars), sum(spans)
    FROM (
        SELECT series_id, count(*) AS bars, 0 AS spans FROM store_bar GROUP BY series_id
        UNION ALL
        SELECT series_id, 0, count(*) FROM store_coverage GROUP BY series_id
    ) AS named
    WHERE NOT EXISTS (SELECT 1 FROM store_series AS series WHERE series.series_id = named.series_id)
    GROUP BY series_id
)
SELECT
    series.symbol, series.timeframe, series.feed, series.adjustment,
    found.kind, found.series_id, found.starts_at, found.ends_at, found.first_count, found.second_count
FROM found
LEFT JOIN store_series AS series USING (series_id)
WHERE series.provider = ?1 OR (series.provider IS NULL AND found.kind = 'orphaned')
ORDER BY found.kind, found.series_id, found.starts_at

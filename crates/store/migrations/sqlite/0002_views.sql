-- What other tools may rely on. The tables may change; a view of a version does not: a change makes a version more.
-- Instants are text as in ISO 8601, and beside it the seconds since 1970 that the key is of: filter by those.
CREATE VIEW bars_v1 AS
SELECT
    series.provider, series.symbol, series.timeframe, series.feed, series.adjustment,
    strftime('%Y-%m-%dT%H:%M:%SZ', bar.starts_at, 'unixepoch') AS starts_at,
    bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.trade_count,
    strftime('%Y-%m-%dT%H:%M:%SZ', batch.fetched_at / 1000, 'unixepoch') AS fetched_at,
    bar.starts_at AS starts_at_unix
FROM store_series AS series
JOIN store_bar AS bar USING (series_id)
LEFT JOIN store_batch AS batch USING (batch_id);

CREATE VIEW coverage_v1 AS
SELECT
    series.provider, series.symbol, series.timeframe, series.feed, series.adjustment,
    strftime('%Y-%m-%dT%H:%M:%SZ', span.starts_at, 'unixepoch') AS starts_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', span.ends_at, 'unixepoch') AS ends_at,
    span.state, span.rows, span.empty_checks,
    strftime('%Y-%m-%dT%H:%M:%SZ', span.fetched_at, 'unixepoch') AS fetched_at,
    span.starts_at AS starts_at_unix, span.ends_at AS ends_at_unix
FROM store_series AS series
JOIN store_coverage AS span USING (series_id);

CREATE VIEW quarantine_v1 AS
SELECT
    series.provider, series.symbol, series.timeframe, series.feed, series.adjustment,
    refused.bar, refused.reasons,
    strftime('%Y-%m-%dT%H:%M:%SZ', refused.quarantined_at, 'unixepoch') AS quarantined_at
FROM store_series AS series
JOIN store_quarantine AS refused USING (series_id);

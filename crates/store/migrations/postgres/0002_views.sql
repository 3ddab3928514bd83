-- What other tools may rely on. The tables may change; a view of a version does not: a change makes a version more.
CREATE VIEW barkeep.bars_v1 AS
SELECT
    series.provider, series.symbol, series.timeframe, series.feed, series.adjustment,
    bar.starts_at,
    bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.trade_count,
    batch.fetched_at
FROM barkeep.store_series AS series
JOIN barkeep.store_bar AS bar USING (series_id)
LEFT JOIN barkeep.store_batch AS batch USING (batch_id);

CREATE VIEW barkeep.coverage_v1 AS
SELECT
    series.provider, series.symbol, series.timeframe, series.feed, series.adjustment,
    span.starts_at, span.ends_at,
    span.state, span.rows, span.empty_checks,
    span.fetched_at
FROM barkeep.store_series AS series
JOIN barkeep.store_coverage AS span USING (series_id);

CREATE VIEW barkeep.quarantine_v1 AS
SELECT
    series.provider, series.symbol, series.timeframe, series.feed, series.adjustment,
    refused.bar, refused.reasons,
    refused.quarantined_at
FROM barkeep.store_series AS series
JOIN barkeep.store_quarantine AS refused USING (series_id);

-- The last span of a series is rewritten with every page: room in the page keeps its index untouched, and the versions
-- that are left behind are swept soon, for the table is small and read by every plan.
ALTER TABLE barkeep.store_coverage SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

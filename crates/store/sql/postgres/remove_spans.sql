-- Spans that were joined to others.
DELETE FROM barkeep.store_coverage AS span
USING unnest($1::int4[], $2::timestamptz[]) AS gone (series_id, starts_at)
WHERE span.series_id = gone.series_id AND span.starts_at = gone.starts_at

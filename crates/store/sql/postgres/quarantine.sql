-- Bars that cannot be true, each once.
INSERT INTO barkeep.store_quarantine (series_id, bar, reasons)
SELECT series_id, bar, reasons
FROM unnest($1::int4[], $2::text[], $3::text[]) AS refused (series_id, bar, reasons)
ON CONFLICT DO NOTHING

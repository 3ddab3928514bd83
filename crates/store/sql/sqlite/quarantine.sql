-- A bar that cannot be true, once.
INSERT INTO store_quarantine (series_id, bar, reasons, quarantined_at)
VALUES (?1, ?2, ?3, unixepoch())
ON CONFLICT DO NOTHING

-- Spans that were joined to others, as a JSON array of [series, start].
DELETE FROM store_coverage
WHERE (series_id, starts_at) IN (SELECT span.value ->> 0, span.value ->> 1 FROM json_each(?1) AS span)

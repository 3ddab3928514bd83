-- Says that bars of these years were rewritten: a JSON array of [series_id, year].
INSERT INTO store_rewrite (series_id, year, mark)
SELECT value ->> 0, value ->> 1, lower(hex(randomblob(16)))
FROM json_each(?1)
WHERE true
ON CONFLICT (series_id, year) DO UPDATE SET mark = excluded.mark

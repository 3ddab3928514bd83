-- Says that bars of these years were rewritten.
INSERT INTO barkeep.store_rewrite (series_id, year, mark)
SELECT series_id, year, gen_random_uuid()::text
FROM unnest($1::int4[], $2::int4[]) AS rewritten (series_id, year)
ORDER BY series_id, year
ON CONFLICT (series_id, year) DO UPDATE SET mark = excluded.mark

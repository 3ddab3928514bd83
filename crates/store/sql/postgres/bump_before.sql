-- What earlier pages said is true no more of the series that have bars before $2. Whole years before it go; of its own year
-- some bars stay, though maybe none that is covered.
WITH bumped AS (
    UPDATE barkeep.store_series AS series
    SET revision = revision + 1
    WHERE provider = $1
        AND EXISTS (SELECT 1 FROM barkeep.store_bar AS bar WHERE bar.series_id = series.series_id AND bar.starts_at < $2)
    RETURNING series_id
)
INSERT INTO barkeep.store_rewrite (series_id, year, mark)
SELECT series_id, extract(year FROM $2::timestamptz AT TIME ZONE 'UTC')::int4, gen_random_uuid()::text
FROM bumped
ON CONFLICT (series_id, year) DO UPDATE SET mark = excluded.mark

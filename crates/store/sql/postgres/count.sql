-- How many bars many series have within a range each.
SELECT asked.question - 1, count(bar.starts_at)
FROM unnest($1::int4[], $2::timestamptz[], $3::timestamptz[])
    WITH ORDINALITY AS asked (series_id, starts_at, ends_at, question)
LEFT JOIN barkeep.store_bar AS bar
    ON bar.series_id = asked.series_id AND bar.starts_at >= asked.starts_at AND bar.starts_at < asked.ends_at
GROUP BY asked.question

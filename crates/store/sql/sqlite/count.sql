-- How many bars many series have within a range each, asked for as a JSON array of [series, start, end].
SELECT
    asked.key,
    (
        SELECT count(*)
        FROM store_bar AS bar
        WHERE bar.series_id = asked.value ->> 0
          AND bar.starts_at >= asked.value ->> 1
          AND bar.starts_at < asked.value ->> 2
    )
FROM json_each(?1) AS asked

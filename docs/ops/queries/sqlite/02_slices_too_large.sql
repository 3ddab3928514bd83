-- finds: slices of more symbols than Alpaca takes in one request
SELECT id, definition, state, symbols
FROM (
    SELECT
        id, definition, state, kind, finished_at_us, created_at_us,
        CASE
            WHEN json_type(payload, '$.symbols') = 'array' THEN json_array_length(payload, '$.symbols')
            ELSE (SELECT count(*) FROM json_each(result, '$.symbols'))
        END AS symbols
    FROM jobs_v1
) AS slice
WHERE kind = 'slice' AND symbols > 200 AND coalesce(finished_at_us, created_at_us) > (unixepoch() - 86400) * 1000000
ORDER BY id
LIMIT 50

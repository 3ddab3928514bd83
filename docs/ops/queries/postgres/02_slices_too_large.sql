-- finds: slices of more symbols than Alpaca takes in one request
SELECT id, definition, state, symbols
FROM (
    SELECT
        id, definition, state, kind, finished_at,
        CASE
            WHEN json_typeof(payload -> 'symbols') = 'array' THEN json_array_length(payload -> 'symbols')
            WHEN json_typeof(result -> 'symbols') = 'object' THEN (SELECT count(*) FROM json_object_keys(result -> 'symbols'))
        END AS symbols
    FROM barkeep.jobs_v1
) AS slice
WHERE kind = 'slice' AND symbols > 200 AND coalesce(finished_at, now()) > now() - interval '1 day'
ORDER BY id
LIMIT 50

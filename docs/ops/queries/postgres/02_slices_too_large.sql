-- finds: slices of more symbols than Alpaca takes in one request
SELECT id, definition, state, coalesce(json_array_length(payload -> 'symbols'), (result ->> 'symbols')::int) AS symbols
FROM barkeep.jobs_v1
WHERE kind = 'slice' AND coalesce(json_array_length(payload -> 'symbols'), (result ->> 'symbols')::int) > 200
    AND coalesce(finished_at, now()) > now() - interval '1 day'
ORDER BY id
LIMIT 50

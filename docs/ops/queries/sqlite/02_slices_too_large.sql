-- finds: slices of more symbols than Alpaca takes in one request
SELECT id, definition, state, coalesce(json_array_length(payload, '$.symbols'), result ->> '$.symbols') AS symbols
FROM jobs_v1
WHERE kind = 'slice' AND coalesce(json_array_length(payload, '$.symbols'), result ->> '$.symbols') > 200
    AND coalesce(finished_at_us, created_at_us) > (unixepoch() - 86400) * 1000000
ORDER BY id
LIMIT 50

-- Adds jobs, skipping those whose kind and key are live; a trigger lets them wait. Answers id, kind and key of the new
-- ones, whose ids rise as asked.
INSERT INTO queue_job (parent, created_at, run_at, rank, max_attempts, kind, key, group_name, payload)
SELECT
    value ->> 'parent', $1, coalesce(max(value ->> 'start_at_us', $1), $1 + (value ->> 'wait_us')),
    value ->> 'rank', value ->> 'max_attempts',
    value ->> 'kind', value ->> 'key', value ->> 'group_name', value ->> 'payload'
FROM json_each($2)
WHERE true
ORDER BY json_each.key
ON CONFLICT (kind, key) WHERE key IS NOT NULL DO NOTHING
RETURNING id, kind, key

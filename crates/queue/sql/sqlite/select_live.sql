-- Live jobs that meet the conditions, for reprioritise.sql.
SELECT id
FROM queue_job
WHERE ($1 IS NULL OR id IN (SELECT value FROM json_each($1))) AND ($2 IS NULL OR kind = $2)
    AND ($3 IS NULL OR group_name = $3) AND ($4 IS NULL OR code = $4)
ORDER BY id

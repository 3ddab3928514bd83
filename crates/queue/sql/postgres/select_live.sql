-- Live jobs that meet the conditions, held so that none of them changes its place before reprioritise.sql has run.
SELECT id
FROM barkeep.queue_job
WHERE ($1::bigint[] IS NULL OR id = ANY ($1)) AND ($2::text IS NULL OR kind = $2)
    AND ($3::text IS NULL OR group_name = $3) AND ($4::text IS NULL OR code = $4)
ORDER BY id
FOR UPDATE

-- Adds jobs, skipping those whose kind and key are live. Answers the ids of the new ones, and their kinds and keys unless all are
-- new.
SELECT *
FROM barkeep.queue_enqueue(
    statement_timestamp() + $1::bigint * interval '1 microsecond', $2, $3, $4, $5, $6, $7, $8, $9, $10
)

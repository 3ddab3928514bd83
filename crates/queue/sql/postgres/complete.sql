-- Ends jobs that were done under leases that still stand. Answers the ids and tokens of those leases, in one row.
SELECT array_agg(ended_id), array_agg(ended_token)
FROM barkeep.queue_complete(statement_timestamp() + $1::bigint * interval '1 microsecond', $2, $3, $4, $5)

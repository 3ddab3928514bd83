-- Ends jobs that were done under leases that still stand. Answers those leases.
SELECT *
FROM barkeep.queue_complete(statement_timestamp() + $1::bigint * interval '1 microsecond', $2, $3, $4, $5)

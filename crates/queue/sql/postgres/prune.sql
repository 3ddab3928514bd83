-- Makes partitions for the months to come, drops those that have passed whole, and forgets up to $3 of the other jobs that
-- ended long ago, with their attempts.
SELECT barkeep.queue_prune(now, now - $2::bigint * interval '1 microsecond', $3::bigint)
FROM (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now) AS clock

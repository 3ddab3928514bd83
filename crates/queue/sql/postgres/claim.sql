-- Leases the jobs that come first, as far as caps, pauses and budgets allow. $7 to $9: rank, time and id where the claim
-- before this one stopped. Answers them in no order.
SELECT
    job.id, until, job.key, job.group_name, job.payload::text,
    job.rank, job.failures, job.max_attempts, job.crashes, job.run_at
FROM
    (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now) AS clock,
    LATERAL (SELECT now + $4::bigint * interval '1 microsecond' AS until) AS lease,
    barkeep.queue_claim(now, $2, $3, until, $5, $6, $7, $8, $9) AS job

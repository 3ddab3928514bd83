-- Ends leases without success. Answers them with outcome (null: waits again) and wait in microseconds.
SELECT *
FROM barkeep.queue_settle(
    statement_timestamp() + $1::bigint * interval '1 microsecond', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
)

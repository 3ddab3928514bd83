-- A row if the lease $1 is held with the token $2; it cannot be taken back then until the transaction ends, while it can
-- still be extended.
SELECT 1
FROM barkeep.queue_lease
WHERE id = $1::bigint AND token = $2::uuid AND lease_until > clock_timestamp()
FOR KEY SHARE

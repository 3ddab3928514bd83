-- A row if the lease $1 is held with the token $2, 16 bytes. In a transaction that was begun to write (BEGIN IMMEDIATE) it
-- cannot be taken back until that ends.
SELECT 1
FROM queue_lease
WHERE id = $1 AND replace(token, '-', '') = lower(hex($2))
    AND lease_until > CAST(round(unixepoch('now', 'subsec') * 1000000.0) AS INTEGER)

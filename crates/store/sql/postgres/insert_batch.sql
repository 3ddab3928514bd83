-- Where the rows of one page come from.
INSERT INTO barkeep.store_batch (request, inserted, revised, digest, revision)
VALUES ($1, $2, $3, $4, $5)
RETURNING batch_id

-- Where the rows of one page come from.
INSERT INTO store_batch (fetched_at, request, inserted, revised, digest, revision)
VALUES (CAST(1000 * unixepoch('subsec') AS INTEGER), ?1, ?2, ?3, ?4, ?5)
RETURNING batch_id

-- Sets a cap, or lifts it (null). $1 and $2: kind and group; both empty: all jobs.
DELETE FROM queue_cap WHERE kind = $1 AND group_name = $2;

INSERT INTO queue_cap (kind, group_name, cap)
SELECT $1, $2, $3
WHERE $3 IS NOT NULL

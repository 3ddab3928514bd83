-- The jobs of a kind that wait: by group and whether their time has come, how many, and the time of the first.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now)
SELECT group_name, run_at <= now, count(*), min(run_at)
FROM barkeep.queue_ready, clock
WHERE kind = $2
GROUP BY 1, 2
ORDER BY 1, 2

-- The jobs of a kind that wait: by group and whether their time has come, how many, and the time of the first.
SELECT group_name, run_at <= $1, count(*), min(run_at)
FROM queue_ready
WHERE kind = $2
GROUP BY 1, 2
ORDER BY 1, 2

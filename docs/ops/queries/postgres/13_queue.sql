-- shows: the queue, by state
SELECT state, count(*) AS slices, min(created_at) AS oldest, max(coalesce(finished_at, created_at)) AS newest
FROM barkeep.jobs_v1
WHERE kind = 'slice'
GROUP BY state
ORDER BY state

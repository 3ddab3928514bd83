-- finds: tries of the last 30 minutes that failed, of slices that have not succeeded since
SELECT code, job_state, count(*) AS tries, max(attempt) AS attempt, left(max(message), 80) AS message
FROM barkeep.failures_v1
WHERE kind = 'slice' AND finished_at > now() - interval '30 minutes' AND job_state IS DISTINCT FROM 'succeeded'
GROUP BY code, job_state
ORDER BY tries DESC, code

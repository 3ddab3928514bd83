-- finds: tries of the last 30 minutes that failed, of slices that have not succeeded since
SELECT code, job_state, count(*) AS tries, max(attempt) AS attempt, substr(max(message), 1, 80) AS message
FROM failures_v1
WHERE kind = 'slice' AND finished_at_us > (unixepoch() - 1800) * 1000000 AND job_state IS NOT 'succeeded'
GROUP BY code, job_state
ORDER BY tries DESC, code

-- shows: tries that failed over the last day, by code
SELECT code, count(*) AS tries, count(DISTINCT id) AS slices, max(finished_at) AS latest
FROM barkeep.failures_v1
WHERE kind = 'slice' AND finished_at > now() - interval '1 day'
GROUP BY code
ORDER BY tries DESC, code

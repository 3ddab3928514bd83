-- finds: definitions whose slices of the last day took more than twice the requests that were expected
SELECT definition, count(*) AS slices, sum(result ->> '$.expected_cost') AS expected, sum(requests) AS requests
FROM jobs_v1
WHERE kind = 'slice' AND state = 'succeeded' AND finished_at_us > (unixepoch() - 86400) * 1000000
GROUP BY definition
HAVING sum(requests) > 2 * sum(result ->> '$.expected_cost') + 10
ORDER BY definition

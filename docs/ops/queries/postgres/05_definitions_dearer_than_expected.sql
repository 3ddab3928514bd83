-- finds: definitions whose slices of the last day took more than twice the requests that were expected
SELECT definition, count(*) AS slices, sum((result ->> 'expected_cost')::bigint) AS expected, sum(requests) AS requests
FROM barkeep.jobs_v1
WHERE kind = 'slice' AND state = 'succeeded' AND finished_at > now() - interval '1 day'
GROUP BY definition
HAVING sum(requests) > 2 * sum((result ->> 'expected_cost')::bigint) + 10
ORDER BY definition

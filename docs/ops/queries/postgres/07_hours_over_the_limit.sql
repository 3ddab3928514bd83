-- finds: hours of the last day with more requests than the shared budgets hand out
SELECT hour, sum(requests) AS requests, (SELECT round(sum(requests_a_minute) * 60)::bigint FROM barkeep.budgets_v1) AS allowed
FROM barkeep.costs_v1
WHERE kind = 'slice' AND hour > now() - interval '1 day'
GROUP BY hour
HAVING sum(requests) > (SELECT sum(requests_a_minute) * 60 FROM barkeep.budgets_v1)
ORDER BY hour

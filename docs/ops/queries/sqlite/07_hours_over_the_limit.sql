-- finds: hours of the last day with more requests than the shared budgets hand out
SELECT hour, sum(requests) AS requests, (SELECT CAST(round(sum(requests_a_minute) * 60) AS INTEGER) FROM budgets_v1) AS allowed
FROM costs_v1
WHERE kind = 'slice' AND hour_us > (unixepoch() - 86400) * 1000000
GROUP BY hour
HAVING sum(requests) > (SELECT sum(requests_a_minute) * 60 FROM budgets_v1)
ORDER BY hour

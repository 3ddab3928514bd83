-- shows: requests by hour over the last day, and what they came to a minute
SELECT hour, sum(requests) AS requests, round(sum(requests) / 60.0, 1) AS a_minute, sum(succeeded) AS slices
FROM costs_v1
WHERE kind = 'slice' AND hour_us > (unixepoch() - 86400) * 1000000
GROUP BY hour
ORDER BY hour

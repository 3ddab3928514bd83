-- What has ended, and what it cost, by hour, kind and group.
SELECT
    hour, kind, group_name, sum(jobs) FILTER (WHERE outcome = 0), sum(jobs) FILTER (WHERE outcome <> 0), sum(cost)
FROM queue_tally
WHERE hour >= $1 - $1 % 3600000000
GROUP BY hour, kind, group_name

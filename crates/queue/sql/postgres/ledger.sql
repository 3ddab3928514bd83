-- What has ended, and what it cost, by hour, kind and group.
SELECT
    hour, kind, group_name, (sum(jobs) FILTER (WHERE outcome = 0))::bigint, (sum(jobs) FILTER (WHERE outcome <> 0))::bigint,
    sum(cost)::bigint
FROM barkeep.queue_tally
WHERE hour >= date_bin('1 hour', $1::timestamptz, 'epoch')
GROUP BY hour, kind, group_name

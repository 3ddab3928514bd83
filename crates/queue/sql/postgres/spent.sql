-- What the jobs cost that succeeded, and what that was expected to be, by day (since 1970, UTC) and group.
SELECT
    ((finished_at AT TIME ZONE 'UTC')::date - date '1970-01-01')::bigint, group_name,
    count(*), coalesce(sum(cost), 0)::bigint,
    coalesce(sum(
        CASE WHEN json_typeof(result -> 'expected_cost') = 'number' THEN (result ->> 'expected_cost')::numeric END
    ), 0)::bigint
FROM barkeep.queue_done
WHERE kind = $1 AND outcome = 0 AND finished_at >= $2
GROUP BY 1, 2

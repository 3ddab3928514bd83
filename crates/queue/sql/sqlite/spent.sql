-- What the jobs cost that succeeded, and what that was expected to be, by day (since 1970, UTC) and group.
SELECT
    finished_at / 86400000000, group_name,
    count(*), coalesce(sum(cost), 0),
    coalesce(sum(
        CASE WHEN json_type(result, '$.expected_cost') = 'integer' THEN result ->> '$.expected_cost' END
    ), 0)
FROM queue_done
WHERE kind = $1 AND outcome = 0 AND finished_at >= $2
GROUP BY 1, 2

-- Leases that have run out, for settle.sql, which asks again before it takes them back. Also sums up what was lately
-- counted apart, as this runs now and then by nature.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now),
apart AS (
    DELETE FROM barkeep.queue_tally
    WHERE hour > (SELECT now FROM clock) - interval '3 hours'
        AND (hour, kind, outcome, coalesce(group_name, '')) IN (
            SELECT hour, kind, outcome, coalesce(group_name, '')
            FROM barkeep.queue_tally
            WHERE hour > (SELECT now FROM clock) - interval '3 hours'
            GROUP BY 1, 2, 3, 4
            HAVING count(*) > 1
        )
    RETURNING hour, jobs, cost, outcome, kind, group_name
),
summed AS (
    INSERT INTO barkeep.queue_tally (hour, jobs, cost, outcome, kind, group_name)
    SELECT hour, sum(jobs), sum(cost), outcome, kind, group_name
    FROM apart
    GROUP BY hour, outcome, kind, group_name
)
SELECT id, token
FROM barkeep.queue_lease
WHERE lease_until <= (SELECT now FROM clock)
LIMIT $2

-- Jobs by kind and state. State: 0 waiting, 1 ready, 2 running, 3 succeeded, 4 failed, 5 cancelled.
WITH clock AS (SELECT statement_timestamp() + $1::bigint * interval '1 microsecond' AS now)
SELECT kind, state, sum(jobs)::bigint
FROM (
    SELECT kind, (run_at <= now)::int AS state, count(*) AS jobs
    FROM barkeep.queue_ready, clock
    GROUP BY 1, 2
    UNION ALL
    SELECT job.kind, 2, count(*)
    FROM barkeep.queue_lease JOIN barkeep.queue_job AS job USING (id)
    GROUP BY 1
    UNION ALL
    SELECT kind, 3 + outcome, sum(jobs)
    FROM barkeep.queue_tally
    GROUP BY 1, 2
) AS counted
GROUP BY kind, state

-- Jobs by kind and state. State: 0 waiting, 1 ready, 2 running, 3 succeeded, 4 failed, 5 cancelled.
SELECT kind, state, sum(jobs)
FROM (
    SELECT kind, run_at <= $1 AS state, count(*) AS jobs
    FROM queue_ready
    GROUP BY 1, 2
    UNION ALL
    SELECT job.kind, 2, count(*)
    FROM queue_lease JOIN queue_job AS job USING (id)
    GROUP BY 1
    UNION ALL
    SELECT kind, 3 + outcome, sum(jobs)
    FROM queue_tally
    GROUP BY 1, 2
)
GROUP BY kind, state

-- Gives failed jobs back, unless their key is live again. Answers their ids. A trigger lets them wait.
INSERT INTO queue_job
    (id, parent, created_at, run_at, rank, max_attempts, kind, key, group_name, code, message, payload)
SELECT id, parent, created_at, $1, rank, max_attempts, kind, key, group_name, code, message, payload
FROM queue_done
WHERE outcome = 1
    AND ($2 IS NULL OR id IN (SELECT value FROM json_each($2))) AND ($3 IS NULL OR kind = $3)
    AND ($4 IS NULL OR group_name = $4) AND ($5 IS NULL OR code = $5)
ORDER BY kind, key, id
ON CONFLICT DO NOTHING;

-- In the hour in which they were counted: of none more are given back than failed in it.
INSERT INTO queue_tally (hour, jobs, cost, outcome, kind, group_name)
SELECT done.finished_at - done.finished_at % 3600000000, -count(*), 0, 1, job.kind, job.group_name
FROM queue_done AS done JOIN queue_job AS job USING (id)
WHERE done.outcome = 1
GROUP BY 1, job.kind, job.group_name
ON CONFLICT (hour, kind, outcome, coalesce(group_name, '')) DO UPDATE
SET jobs = jobs + excluded.jobs;

DELETE FROM queue_done
WHERE outcome = 1 AND id IN (SELECT id FROM queue_job)
RETURNING id

-- Ends leases without success: by failure ('f'), by release ('r'), or by a crash ('c', which holds only if the lease
-- has run out). A job whose cancellation was asked for, or which may not be tried again, ends; any other waits again.
-- What a try cost is booked whichever way it ended; a crash cost what it was last told to have cost.
-- Answers those leases with outcome (null: waits again) and wait in microseconds.
INSERT INTO queue_verdict
    (id, token, started_at, worker, ending, failures, crashes, code, message, outcome, wait_us, cost)
SELECT
    id, token, started_at, worker, ending, failures, crashes,
    CASE WHEN code IS NULL AND cancel_requested THEN coalesce(last_code, 'CANCELLED') ELSE code END,
    CASE WHEN code IS NULL AND cancel_requested THEN last_message ELSE message END,
    CASE
        WHEN cancel_requested THEN 2
        WHEN ending = 'f' AND (is_final OR failures >= max_attempts) THEN 1
        WHEN ending = 'c' AND crashes >= $3 THEN 1
    END,
    CAST(min(longest_us, first_us * (1 << min(max(failures - 1, 0), 30))) * jitter AS INTEGER),
    cost
FROM (
    SELECT
        lease.id, lease.token, lease.started_at, lease.worker, lease.cancel_requested, job.max_attempts,
        job.code AS last_code, job.message AS last_message,
        job.failures + (try.value ->> 'ending' = 'f') AS failures,
        job.crashes + (try.value ->> 'ending' = 'c') AS crashes,
        try.value ->> 'ending' AS ending, try.value ->> 'code' AS code, try.value ->> 'message' AS message,
        try.value ->> 'is_final' AS is_final, try.value ->> 'first_us' AS first_us,
        try.value ->> 'longest_us' AS longest_us, try.value ->> 'jitter' AS jitter,
        CASE try.value ->> 'ending' WHEN 'c' THEN lease.cost ELSE try.value ->> 'cost' END AS cost
    FROM json_each($2) AS try
    JOIN queue_lease AS lease ON lease.id = try.value ->> 'id' AND lease.token = try.value ->> 'token'
    JOIN queue_job AS job ON job.id = lease.id
    WHERE try.value ->> 'ending' <> 'c' OR lease.lease_until <= $1
);

INSERT INTO queue_attempt (id, started_at, finished_at, attempt, worker, code, message)
SELECT id, started_at, $1, failures + (ending = 'c'), worker, code, message
FROM queue_verdict
WHERE ending <> 'r';

UPDATE queue_job
SET failures = verdict.failures,
    crashes = verdict.crashes,
    code = coalesce(verdict.code, queue_job.code),
    message = CASE WHEN verdict.code IS NULL THEN queue_job.message ELSE verdict.message END,
    run_at = $1 + verdict.wait_us
FROM queue_verdict AS verdict
WHERE queue_job.id = verdict.id AND verdict.outcome IS NULL;

INSERT INTO queue_ready (kind, rank, run_at, id, group_name)
SELECT job.kind, job.rank, job.run_at, job.id, job.group_name
FROM queue_verdict AS verdict JOIN queue_job AS job USING (id)
WHERE verdict.outcome IS NULL;

INSERT INTO queue_done
    (id, parent, created_at, started_at, finished_at, outcome, rank, max_attempts, failures, crashes,
     kind, key, group_name, worker, code, message, payload)
SELECT
    job.id, job.parent, job.created_at, verdict.started_at, $1, verdict.outcome, job.rank, job.max_attempts,
    verdict.failures, verdict.crashes, job.kind, job.key, job.group_name, verdict.worker,
    verdict.code, verdict.message, job.payload
FROM queue_verdict AS verdict JOIN queue_job AS job USING (id)
WHERE verdict.outcome IS NOT NULL;

INSERT INTO queue_tally (hour, jobs, cost, outcome, kind, group_name)
SELECT
    $1 - $1 % 3600000000, count(verdict.outcome), sum(verdict.cost), coalesce(verdict.outcome, 1),
    job.kind, job.group_name
FROM queue_verdict AS verdict JOIN queue_job AS job USING (id)
WHERE verdict.outcome IS NOT NULL OR verdict.cost > 0
GROUP BY 4, job.kind, job.group_name
ON CONFLICT (hour, kind, outcome, coalesce(group_name, '')) DO UPDATE
SET jobs = jobs + excluded.jobs, cost = cost + excluded.cost;

DELETE FROM queue_job
WHERE id IN (SELECT id FROM queue_verdict WHERE outcome IS NOT NULL);

DELETE FROM queue_lease
WHERE id IN (SELECT id FROM queue_verdict);

DELETE FROM queue_verdict
RETURNING id, token, outcome, wait_us

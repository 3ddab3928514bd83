-- Tries at a job that did not end well, in the order in which they ended.
SELECT attempt, worker, code, message, started_at, finished_at
FROM barkeep.queue_attempt
WHERE id = $1
ORDER BY finished_at, attempt

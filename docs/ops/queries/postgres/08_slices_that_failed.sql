-- finds: slices that failed for good within the last hour, by definition and code
SELECT definition, code, count(*) AS slices, max(failures) AS tries, left(max(message), 80) AS message
FROM barkeep.jobs_v1
WHERE kind = 'slice' AND state = 'failed' AND finished_at > now() - interval '1 hour'
GROUP BY definition, code
ORDER BY slices DESC, definition, code

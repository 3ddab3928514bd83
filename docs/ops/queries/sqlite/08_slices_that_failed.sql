-- finds: slices that failed for good within the last hour, by definition and code
SELECT definition, code, count(*) AS slices, max(failures) AS tries, substr(max(message), 1, 80) AS message
FROM jobs_v1
WHERE kind = 'slice' AND state = 'failed' AND finished_at_us > (unixepoch() - 3600) * 1000000
GROUP BY definition, code
ORDER BY slices DESC, definition, code

-- The caps, and how many jobs run under each.
SELECT cap.kind, cap.group_name, cap.cap, count(running.kind)
FROM barkeep.queue_cap AS cap
LEFT JOIN (
    SELECT job.kind, job.group_name FROM barkeep.queue_lease JOIN barkeep.queue_job AS job USING (id)
) AS running ON cap.kind IN ('', running.kind) AND (cap.group_name = '' OR cap.group_name = running.group_name)
GROUP BY cap.kind, cap.group_name
ORDER BY cap.kind, cap.group_name

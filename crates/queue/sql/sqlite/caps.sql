-- The caps, and how many jobs run under each.
SELECT kind, group_name, cap, running FROM queue_use ORDER BY kind, group_name

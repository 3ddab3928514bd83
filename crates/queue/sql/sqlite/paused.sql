-- The pauses in force.
SELECT kind, group_name FROM queue_pause ORDER BY kind, group_name

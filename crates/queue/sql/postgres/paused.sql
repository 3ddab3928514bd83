-- The pauses in force.
SELECT kind, group_name FROM barkeep.queue_pause ORDER BY kind, group_name

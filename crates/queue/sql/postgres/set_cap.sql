-- Sets a cap, or lifts it (null). $1 and $2: kind and group; both empty: all jobs.
SELECT barkeep.queue_set_cap($1, $2, $3)

-- Takes a worker off the list.
DELETE FROM barkeep.queue_worker WHERE id = $1

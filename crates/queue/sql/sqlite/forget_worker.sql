-- Takes a worker off the list.
DELETE FROM queue_worker WHERE id = $1

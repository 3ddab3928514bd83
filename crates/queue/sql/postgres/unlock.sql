-- Gives a lock up, if the token is its holder's.
DELETE FROM barkeep.queue_lock WHERE name = $1 AND token = $2

-- Lets a kind or a group be claimed again.
DELETE FROM queue_pause WHERE kind = $1 AND group_name = $2

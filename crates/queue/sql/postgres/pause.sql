-- Keeps a kind or a group from being claimed.
INSERT INTO barkeep.queue_pause (kind, group_name) VALUES ($1, $2) ON CONFLICT DO NOTHING

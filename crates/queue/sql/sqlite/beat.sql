-- Says that something was done just now.
INSERT INTO queue_beat (name, beat_at, holder, note)
VALUES ($2, $1, $3, $4)
ON CONFLICT (name) DO UPDATE
SET beat_at = excluded.beat_at, holder = excluded.holder, note = excluded.note

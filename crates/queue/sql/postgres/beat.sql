-- Says that something was done just now.
INSERT INTO barkeep.queue_beat (name, beat_at, holder, note)
SELECT $2, statement_timestamp() + $1::bigint * interval '1 microsecond', $3, $4::json
ON CONFLICT (name) DO UPDATE
SET beat_at = excluded.beat_at, holder = excluded.holder, note = excluded.note

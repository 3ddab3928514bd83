-- What a try has cost when its worker last told: booked if the lease runs out.
ALTER TABLE queue_lease ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;

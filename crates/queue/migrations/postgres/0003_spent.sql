-- What a try has cost when its worker last told: booked if the lease runs out.
ALTER TABLE barkeep.queue_lease ADD COLUMN cost bigint NOT NULL DEFAULT 0;

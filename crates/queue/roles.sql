-- The least rights that workers and readers need. Run once, by the owner of the tables, after the queue was first opened by
-- it; with another schema than `barkeep`, put its name instead.
--
--   owner             makes the tables: open the queue once as it, after each upgrade
--   barkeep_worker    enqueues, works, cancels, prunes; cannot change or drop tables
--   barkeep_reader    looks

GRANT USAGE ON SCHEMA barkeep TO barkeep_worker, barkeep_reader;

GRANT SELECT ON
    barkeep.database_migration, barkeep.queue_job, barkeep.queue_ready, barkeep.queue_lease, barkeep.queue_done,
    barkeep.queue_attempt, barkeep.queue_tally, barkeep.queue_lock, barkeep.queue_pause, barkeep.queue_budget,
    barkeep.queue_beat, barkeep.jobs_v1, barkeep.failures_v1, barkeep.costs_v1, barkeep.budgets_v1, barkeep.beats_v1,
    barkeep.workers_v1,
    barkeep.queue_budget_of, barkeep.queue_cap, barkeep.queue_rules, barkeep.queue_use, barkeep.queue_worker
TO barkeep_worker, barkeep_reader;

GRANT INSERT, UPDATE, DELETE ON
    barkeep.queue_job, barkeep.queue_ready, barkeep.queue_lease, barkeep.queue_lock, barkeep.queue_pause,
    barkeep.queue_budget, barkeep.queue_beat, barkeep.queue_budget_of, barkeep.queue_cap,
    barkeep.queue_worker
TO barkeep_worker;

-- FOR UPDATE, by which giving failed jobs back holds them, needs the right to update.
GRANT INSERT, UPDATE, DELETE ON barkeep.queue_done TO barkeep_worker;
GRANT INSERT ON barkeep.queue_attempt TO barkeep_worker;
GRANT INSERT, DELETE ON barkeep.queue_tally TO barkeep_worker;
GRANT INSERT, UPDATE, DELETE ON barkeep.queue_use TO barkeep_worker;
-- To lock it, while a cap is set.
GRANT UPDATE ON barkeep.queue_rules TO barkeep_worker;
GRANT USAGE ON SEQUENCE barkeep.queue_job_id_seq TO barkeep_worker;
GRANT EXECUTE ON FUNCTION barkeep.queue_prune(timestamptz, timestamptz, bigint) TO barkeep_worker;

-- One migrating process at a time over the whole database; let go of with the transaction. Without the lock, even
-- CREATE SCHEMA IF NOT EXISTS fails when two processes run it at once. The key is "barkeep" in ASCII.
SET LOCAL lock_timeout = '20s';
SELECT pg_advisory_xact_lock(27692424430479728);

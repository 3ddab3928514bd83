-- A job's state is the table that its row is in:
--
--   queue_job          every live job
--   + queue_ready      ... that waits, for its time or for a worker
--   + queue_lease      ... that a worker has
--   queue_done         every job that has ended
--
-- so that no index covers a column that changes, and the hot tables stay small however long the history grows.
-- Times are microseconds since 1970, UTC.

CREATE TABLE queue_job (
    -- AUTOINCREMENT: an id is never used twice.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent INTEGER,
    created_at INTEGER NOT NULL,
    -- Also in queue_ready while the job waits, to find its row there by the only index.
    run_at INTEGER NOT NULL,
    -- Minus the priority, so that one ascending index serves the highest priority first.
    rank INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL CHECK (max_attempts > 0),
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    crashes INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),
    kind TEXT NOT NULL CHECK (kind <> ''),
    key TEXT,
    group_name TEXT,
    -- Of the last failure.
    code TEXT,
    message TEXT,
    payload TEXT NOT NULL
) STRICT;

-- A full index: only live jobs are here. Jobs without a key never meet in it.
CREATE UNIQUE INDEX queue_job_key ON queue_job (kind, key) WHERE key IS NOT NULL;

CREATE TABLE queue_ready (
    kind TEXT NOT NULL,
    rank INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    id INTEGER NOT NULL,
    group_name TEXT,
    PRIMARY KEY (kind, rank, run_at, id)
) STRICT, WITHOUT ROWID;

-- A job that comes into being waits.
CREATE TRIGGER queue_job_waits AFTER INSERT ON queue_job
BEGIN
    INSERT INTO queue_ready (kind, rank, run_at, id, group_name)
    VALUES (new.kind, new.rank, new.run_at, new.id, new.group_name);
END;

CREATE TABLE queue_lease (
    id INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    token TEXT NOT NULL,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    worker TEXT NOT NULL,
    -- As of the job, to count what runs under a cap.
    kind TEXT NOT NULL,
    group_name TEXT
) STRICT;

CREATE INDEX queue_lease_token ON queue_lease (token);

-- Append-only. A job that succeeded leaves its result, not its payload.
CREATE TABLE queue_done (
    id INTEGER PRIMARY KEY,
    parent INTEGER,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER NOT NULL,
    cost INTEGER,
    -- 0 succeeded, 1 failed, 2 cancelled
    outcome INTEGER NOT NULL CHECK (outcome BETWEEN 0 AND 2),
    rank INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT,
    group_name TEXT,
    worker TEXT,
    code TEXT,
    message TEXT,
    result TEXT,
    payload TEXT
) STRICT;

CREATE INDEX queue_done_failed ON queue_done (kind, finished_at, id) WHERE outcome <> 0;

-- Tries that did not end well. The one that did is in queue_done.
CREATE TABLE queue_attempt (
    id INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    worker TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT
) STRICT;

CREATE INDEX queue_attempt_id ON queue_attempt (id);

-- What settle.sql is deciding; empty between transactions.
CREATE TABLE queue_verdict (
    id INTEGER PRIMARY KEY,
    token TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    worker TEXT NOT NULL,
    ending TEXT NOT NULL,
    failures INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    code TEXT,
    message TEXT,
    outcome INTEGER,
    wait_us INTEGER NOT NULL,
    cost INTEGER NOT NULL
) STRICT;

-- How many jobs ended, by hour: keeps counting fast, however many jobs have ended.
CREATE TABLE queue_tally (
    hour INTEGER NOT NULL,
    jobs INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    kind TEXT NOT NULL,
    group_name TEXT
) STRICT;

CREATE UNIQUE INDEX queue_tally_hour ON queue_tally (hour, kind, outcome, coalesce(group_name, ''));

CREATE TABLE queue_lock (
    name TEXT PRIMARY KEY,
    lease_until INTEGER NOT NULL,
    token TEXT NOT NULL,
    holder TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Workers that run, or that died of late, for people who look: nothing depends on it.
CREATE TABLE queue_worker (
    id TEXT PRIMARY KEY,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    -- Whoever has not been seen until then has died, or is cut off.
    lease_until INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    running INTEGER NOT NULL,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    version TEXT NOT NULL,
    -- A JSON array.
    kinds TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Kinds and groups whose jobs are not to be claimed. The other of the two is empty.
CREATE TABLE queue_pause (
    kind TEXT NOT NULL,
    group_name TEXT NOT NULL,
    PRIMARY KEY (kind, group_name)
) STRICT, WITHOUT ROWID;

-- How many jobs may run at once: all of them (both names empty), those of a kind, or those of a group.
CREATE TABLE queue_cap (
    kind TEXT NOT NULL,
    group_name TEXT NOT NULL,
    cap INTEGER NOT NULL CHECK (cap >= 0),
    PRIMARY KEY (kind, group_name)
) STRICT, WITHOUT ROWID;

-- What is used of each cap.
CREATE VIEW queue_use AS
SELECT cap.kind, cap.group_name, cap.cap, count(lease.id) AS running
FROM queue_cap AS cap
LEFT JOIN queue_lease AS lease
    ON cap.kind IN ('', lease.kind) AND (cap.group_name = '' OR cap.group_name = lease.group_name)
GROUP BY cap.kind, cap.group_name;

-- One row a budget: all who share it meet here. earned_at is when the tokens handed out so far have been earned
-- (the "theoretical arrival time" of the generic cell rate algorithm). day counts days since 1970.
CREATE TABLE queue_budget (
    name TEXT PRIMARY KEY,
    interval_us INTEGER NOT NULL CHECK (interval_us > 0),
    burst INTEGER NOT NULL CHECK (burst > 0),
    hold_us INTEGER NOT NULL,
    day_limit INTEGER,
    earned_at INTEGER NOT NULL,
    blocked_until INTEGER NOT NULL,
    day INTEGER NOT NULL,
    day_spent INTEGER NOT NULL,
    -- By how much tokens that came back have moved earned_at back, ever. Tickets are reckoned from it.
    returned_us INTEGER NOT NULL DEFAULT 0,
    -- What was last answered.
    granted INTEGER NOT NULL DEFAULT 0,
    wait_us INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- From which budget the jobs of a kind spend: while it is blocked, or spent for the day, none of them is claimed.
CREATE TABLE queue_budget_of (
    kind TEXT PRIMARY KEY,
    budget TEXT NOT NULL REFERENCES queue_budget
) STRICT, WITHOUT ROWID;

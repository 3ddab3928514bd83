-- What is to be kept filled. The definition is JSON; what is asked for often stands beside it.
CREATE TABLE catalog_definition (
    name TEXT PRIMARY KEY,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    priority INTEGER NOT NULL,
    definition TEXT NOT NULL CHECK (json_valid(definition))
) STRICT, WITHOUT ROWID;

-- Counts the changes. Whoever changes anything raises it first, and so waits for whoever is at it.
CREATE TABLE catalog_revision (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    revision INTEGER NOT NULL
) STRICT;

INSERT INTO catalog_revision VALUES (1, 0);

-- What was changed, kept for good.
CREATE TABLE catalog_change (
    revision INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (revision, name)
) STRICT, WITHOUT ROWID;

-- What the vendor refused, so that it is asked for no more.
CREATE TABLE catalog_rejection (
    symbol TEXT NOT NULL,
    timeframe TEXT NOT NULL,
    feed TEXT NOT NULL,
    adjustment TEXT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    rejected_at INTEGER NOT NULL,
    PRIMARY KEY (symbol, timeframe, feed, adjustment)
) STRICT, WITHOUT ROWID;

-- What may be changed while the program runs.
CREATE TABLE catalog_setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL CHECK (json_valid(value)),
    set_at INTEGER NOT NULL,
    set_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How settings were changed, kept for good; numbered together with the changes of definitions.
CREATE TABLE catalog_setting_change (
    revision INTEGER NOT NULL,
    name TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (revision, name)
) STRICT, WITHOUT ROWID;

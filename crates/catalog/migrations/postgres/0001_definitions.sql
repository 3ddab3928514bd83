-- What is to be kept filled. The definition is JSON; what is asked for often stands beside it.
-- Names sort by their bytes, as they do everywhere else in barkeep.
CREATE TABLE barkeep.catalog_definition (
    name text COLLATE "C" PRIMARY KEY,
    enabled bool NOT NULL,
    priority int2 NOT NULL,
    definition jsonb NOT NULL
);

-- Counts the changes. Whoever changes anything raises it first, and so waits for whoever is at it.
CREATE TABLE barkeep.catalog_revision (
    only_row int4 PRIMARY KEY CHECK (only_row = 1),
    revision int8 NOT NULL
);

INSERT INTO barkeep.catalog_revision VALUES (1, 0);

-- What was changed, kept for good.
CREATE TABLE barkeep.catalog_change (
    revision int8 NOT NULL,
    name text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    before jsonb,
    after jsonb,
    PRIMARY KEY (revision, name)
);

-- What the vendor refused, so that it is asked for no more.
CREATE TABLE barkeep.catalog_rejection (
    symbol text NOT NULL,
    timeframe text NOT NULL,
    feed text NOT NULL,
    adjustment text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (symbol, timeframe, feed, adjustment)
);

-- What may be changed while the program runs. "json" keeps a value as it was written; "jsonb" would turn 1e16 into an
-- integer, and refuse some texts.
CREATE TABLE barkeep.catalog_setting (
    name text COLLATE "C" PRIMARY KEY,
    value json NOT NULL,
    set_at timestamptz NOT NULL,
    set_by text NOT NULL
);

-- How settings were changed, kept for good; numbered together with the changes of definitions.
CREATE TABLE barkeep.catalog_setting_change (
    revision int8 NOT NULL,
    name text COLLATE "C" NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by text NOT NULL,
    before json,
    after json,
    PRIMARY KEY (revision, name)
);

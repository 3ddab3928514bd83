-- Whose bars, of what. Small ids keep the rows of bars small.
CREATE TABLE store_series (
    series_id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    symbol TEXT NOT NULL,
    timeframe TEXT NOT NULL,
    feed TEXT NOT NULL,
    adjustment TEXT NOT NULL,
    -- Counts the changes that may have made an earlier page untrue.
    revision INTEGER NOT NULL DEFAULT 0,
    UNIQUE (symbol, timeframe, feed, adjustment, provider)
) STRICT;

-- Where rows come from: said once a page, not in every row.
CREATE TABLE store_batch (
    batch_id INTEGER PRIMARY KEY,
    -- Milliseconds since 1970, so that revisions of one second can be told apart.
    fetched_at INTEGER NOT NULL,
    request TEXT,
    inserted INTEGER NOT NULL,
    revised INTEGER NOT NULL,
    digest BLOB,
    revision INTEGER NOT NULL
) STRICT;

CREATE INDEX store_batch_digest ON store_batch (digest) WHERE digest IS NOT NULL;

-- Instants are whole seconds since 1970. 9e999 is read as infinity; NaN is read as NULL.
CREATE TABLE store_bar (
    series_id INTEGER NOT NULL,
    starts_at INTEGER NOT NULL CHECK (starts_at >= 0 AND starts_at < 4102444800),
    open REAL NOT NULL,
    high REAL NOT NULL CHECK (high < 9e999),
    low REAL NOT NULL CHECK (low > 0),
    close REAL NOT NULL,
    volume REAL NOT NULL CHECK (volume >= 0 AND volume < 9007199254740992),
    vwap REAL CHECK (vwap > 0 AND vwap < 9e999),
    trade_count INTEGER CHECK (trade_count >= 0),
    batch_id INTEGER NOT NULL,
    PRIMARY KEY (series_id, starts_at),
    CHECK (low <= min(open, close) AND high >= max(open, close))
) STRICT, WITHOUT ROWID;

-- The providers whose bars' former values are kept, and since when. Empty unless somebody asked for it.
CREATE TABLE store_history (
    provider TEXT PRIMARY KEY,
    -- Milliseconds since 1970.
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Former values: those that batch_id wrote and replaced_by replaced.
CREATE TABLE store_former_bar (
    series_id INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    open REAL NOT NULL,
    high REAL NOT NULL,
    low REAL NOT NULL,
    close REAL NOT NULL,
    volume REAL NOT NULL,
    vwap REAL,
    trade_count INTEGER,
    batch_id INTEGER NOT NULL,
    replaced_by INTEGER NOT NULL,
    PRIMARY KEY (series_id, starts_at, replaced_by)
) STRICT, WITHOUT ROWID;

-- What was fetched, even where no bar traded: disjoint, half-open, coalesced.
CREATE TABLE store_coverage (
    series_id INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('covered', 'provisional', 'suspect')),
    rows INTEGER NOT NULL CHECK (rows >= 0),
    empty_checks INTEGER NOT NULL CHECK ((empty_checks = 0) = (rows > 0)),
    fetched_at INTEGER NOT NULL,
    PRIMARY KEY (series_id, starts_at),
    CHECK (starts_at < ends_at)
) STRICT, WITHOUT ROWID;

-- Bars that cannot be true, as text: their numbers may be none that a column can hold.
CREATE TABLE store_quarantine (
    series_id INTEGER NOT NULL,
    bar TEXT NOT NULL,
    reasons TEXT NOT NULL,
    quarantined_at INTEGER NOT NULL,
    PRIMARY KEY (series_id, bar)
) STRICT, WITHOUT ROWID;

-- Whose bars, of what. Small ids keep the rows of bars small.
CREATE TABLE barkeep.store_series (
    series_id int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider text NOT NULL,
    symbol text NOT NULL,
    timeframe text NOT NULL,
    feed text NOT NULL,
    adjustment text NOT NULL,
    -- Counts the changes that may have made an earlier page untrue.
    revision int8 NOT NULL DEFAULT 0,
    UNIQUE (symbol, timeframe, feed, adjustment, provider)
);

-- Where rows come from: said once a page, not in every row.
CREATE TABLE barkeep.store_batch (
    batch_id int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fetched_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    request text,
    inserted int8 NOT NULL,
    revised int8 NOT NULL,
    digest bytea,
    revision int8 NOT NULL
);

CREATE INDEX store_batch_digest ON barkeep.store_batch (digest) WHERE digest IS NOT NULL;

-- Columns of 8 bytes first, so that none is padded: 96 bytes a row in the heap, 133 with the key.
-- NaN is above everything for PostgreSQL: it fails "high < infinity" and "low <= ...", wherever it stands.
CREATE TABLE barkeep.store_bar (
    starts_at timestamptz NOT NULL,
    open float8 NOT NULL,
    high float8 NOT NULL,
    low float8 NOT NULL,
    close float8 NOT NULL,
    volume float8 NOT NULL,
    vwap float8,
    trade_count int8,
    series_id int4 NOT NULL,
    batch_id int4 NOT NULL,
    PRIMARY KEY (series_id, starts_at),
    CONSTRAINT start_in_reach CHECK (starts_at >= '1970-01-01T00:00:00Z' AND starts_at < '2100-01-01T00:00:00Z'),
    CONSTRAINT prices_possible CHECK (
        low > 0 AND high < 'infinity'
        AND open >= low AND open <= high AND close >= low AND close <= high
    ),
    CONSTRAINT volume_possible CHECK (volume >= 0 AND volume < 9007199254740992),
    CONSTRAINT vwap_possible CHECK (vwap > 0 AND vwap < 'infinity'),
    CONSTRAINT trade_count_possible CHECK (trade_count >= 0)
);

-- The providers whose bars' former values are kept, and since when. Empty unless somebody asked for it.
CREATE TABLE barkeep.store_history (
    provider text PRIMARY KEY,
    since timestamptz NOT NULL
);

-- Former values: those that batch_id wrote and replaced_by replaced.
CREATE TABLE barkeep.store_former_bar (
    starts_at timestamptz NOT NULL,
    open float8 NOT NULL,
    high float8 NOT NULL,
    low float8 NOT NULL,
    close float8 NOT NULL,
    volume float8 NOT NULL,
    vwap float8,
    trade_count int8,
    series_id int4 NOT NULL,
    batch_id int4 NOT NULL,
    replaced_by int4 NOT NULL,
    PRIMARY KEY (series_id, starts_at, replaced_by)
);

-- What was fetched, even where no bar traded: disjoint, half-open, coalesced.
CREATE TABLE barkeep.store_coverage (
    series_id int4 NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('covered', 'provisional', 'suspect')),
    rows int8 NOT NULL CHECK (rows >= 0),
    empty_checks int4 NOT NULL CHECK ((empty_checks = 0) = (rows > 0)),
    fetched_at timestamptz NOT NULL,
    PRIMARY KEY (series_id, starts_at),
    CHECK (starts_at < ends_at)
);

-- Bars that cannot be true, as text: their numbers may be none that a column can hold.
CREATE TABLE barkeep.store_quarantine (
    series_id int4 NOT NULL,
    bar text NOT NULL,
    reasons text NOT NULL,
    quarantined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (series_id, bar)
);

-- Keeps other writers away from series until the transaction ends; then tells the sum of their revisions.
--
-- Advisory locks, since locks on rows are written to the log and to the rows: a page that changes nothing would not be
-- for nothing. They live in shared memory, which is small, so a page of very many series locks the whole store instead
-- of each. Ids come sorted, so that two writers do not wait for each other crosswise.
CREATE FUNCTION barkeep.store_lock(ids int4[]) RETURNS int8
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    -- "bars", for all stores and schemas of a database alike: locks that are shared needlessly do no harm.
    class CONSTANT int4 := 1650553459;
BEGIN
    IF cardinality(ids) > 256 THEN
        PERFORM pg_advisory_xact_lock(class, 0);
    ELSE
        PERFORM pg_advisory_xact_lock_shared(class, 0);
        PERFORM pg_advisory_xact_lock(class, id) FROM unnest(ids) AS id;
    END IF;
    -- A statement of its own, which sees what those did who held the locks.
    RETURN (SELECT coalesce(sum(revision), 0) FROM barkeep.store_series WHERE series_id = ANY (ids));
END
$$;

-- Keeps all other writers away until the transaction ends.
CREATE FUNCTION barkeep.store_lock_all() RETURNS void
LANGUAGE sql VOLATILE
AS 'SELECT pg_advisory_xact_lock(1650553459, 0)';

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

-- A partition a calendar year (UTC), made by store_make_room: the years before a date are then forgotten by dropping
-- tables, which takes no time and leaves no holes, and vacuum looks at the year that grows alone. No partition by default:
-- with one, PostgreSQL could not tell that the partitions follow each other in time, and the last bar of a series would be
-- looked for in every year. A year, because a month would make 400 tables of the daily bars of a lifetime, and 500 symbols'
-- minutes of a year are 50,000,000 bars, 7 GB: little enough to vacuum or to drop.
--
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
) PARTITION BY RANGE (starts_at);

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

-- Those of the years, of this one and of the next that have no partition yet, in order.
CREATE FUNCTION barkeep.store_missing_years(years int4[]) RETURNS int4[]
LANGUAGE sql STABLE
AS $$
    SELECT coalesce(array_agg(DISTINCT year ORDER BY year), '{}')
    FROM unnest(years || ARRAY[0, 1]) WITH ORDINALITY AS asked (number, position)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN position <= cardinality(years) THEN number ELSE this + number END AS year
        FROM (SELECT extract(year FROM now() AT TIME ZONE 'UTC')::int4 AS this) AS calendar
    ) AS wanted
    WHERE year BETWEEN 1970 AND 2099 AND to_regclass('barkeep.store_bar_' || year) IS NULL
$$;

-- Makes the partitions of some years, and ahead of their time that of this year and of the next. Runs with the rights of
-- the owner, so that a writer needs none of its own.
--
-- A table is made and then attached, which readers and writers of other years do not notice; to make it in its place would
-- lock them all out. Bars are mostly inserted: a year that grows is vacuumed in small steps, so that index-only scans and
-- freezing do not come due all at once; a year that is over is vacuumed a last time and left alone.
CREATE FUNCTION barkeep.store_make_room(years int4[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
SET timezone = 'UTC'
AS $$
DECLARE
    year int4;
BEGIN
    -- One at a time.
    PERFORM pg_advisory_xact_lock(1650553459, -1);
    -- Who waited may remember that there was no such table. Locking a table is when a session hears of what others made.
    LOCK TABLE barkeep.store_bar IN ACCESS SHARE MODE;
    FOREACH year IN ARRAY barkeep.store_missing_years(years) LOOP
        EXECUTE format(
            'CREATE TABLE barkeep.store_bar_%s (LIKE barkeep.store_bar INCLUDING CONSTRAINTS)
            WITH (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02)',
            year
        );
        EXECUTE format(
            'ALTER TABLE barkeep.store_bar ATTACH PARTITION barkeep.store_bar_%s FOR VALUES FROM (%L) TO (%L)',
            year, make_timestamptz(year, 1, 1, 0, 0, 0), make_timestamptz(year + 1, 1, 1, 0, 0, 0)
        );
    END LOOP;
END
$$;

-- Drops the partitions of years that ended by an instant, but those in which another provider than the one named has bars;
-- answers how many. Does not wait long for its locks, since readers would wait behind it.
CREATE FUNCTION barkeep.store_drop_years(dropped_by text, before timestamptz) RETURNS int8
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s'
SET timezone = 'UTC'
AS $$
DECLARE
    partition text;
    is_shared boolean;
    dropped int8 := 0;
BEGIN
    FOR partition IN
        SELECT relname FROM pg_partition_tree('barkeep.store_bar') JOIN pg_class ON oid = relid
        WHERE isleaf AND relname ~ '^store_bar_\d{4}$'
            AND make_timestamptz(right(relname, 4)::int4 + 1, 1, 1, 0, 0, 0) <= before
    LOOP
        EXECUTE format(
            'SELECT EXISTS (
                SELECT 1 FROM barkeep.store_series AS series
                WHERE provider <> $1 AND EXISTS (SELECT 1 FROM barkeep.%I AS bar WHERE bar.series_id = series.series_id)
            )',
            partition
        ) INTO is_shared USING dropped_by;
        IF NOT is_shared THEN
            EXECUTE format('DROP TABLE barkeep.%I', partition);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END
$$;

-- They have their owner's rights, so not everybody may run them.
REVOKE ALL ON FUNCTION barkeep.store_make_room(int4[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION barkeep.store_drop_years(text, timestamptz) FROM PUBLIC;

-- Keeps all other writers away until the transaction ends.
CREATE FUNCTION barkeep.store_lock_all() RETURNS void
LANGUAGE sql VOLATILE
AS 'SELECT pg_advisory_xact_lock(1650553459, 0)';

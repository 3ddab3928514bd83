"""Reads every export back with engines that barkeep does not use, and compares it with the databases, value by value.

Called by scripts/check-export through the example check_export, with the folder of the exports and PostgreSQL's URL.
"""

import csv
import datetime
import hashlib
import json
import pathlib
import sqlite3
import struct
import sys
import time

import duckdb
import psycopg
import pyarrow
import pyarrow.dataset
import pyarrow.ipc
import pyarrow.parquet

NAMES = ["symbol", "timeframe", "feed", "adjustment"]
NUMBERS = ["open", "high", "low", "close", "volume", "vwap"]
COLUMNS = [*NAMES, "starts_at", *NUMBERS, "trade_count"]
UTC = datetime.timezone.utc


def exactly(value):
    """A number so that only the very same float is equal to it."""
    if value is None:
        return None
    # float() of a Decimal is the nearest one: what the decimal stands for.
    return struct.pack(">d", float(value))


def row(names, starts_at, numbers, trade_count):
    assert trade_count is None or isinstance(trade_count, int), trade_count
    return (*names, int(starts_at.timestamp()), *map(exactly, numbers), trade_count)


def rows_of(table):
    columns = [table.column(name).to_pylist() for name in COLUMNS]
    return [row(values[:4], values[4], values[5:11], values[11]) for values in zip(*columns)]


def from_sqlite(path):
    """What is stored, by Python's own SQLite."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    instant = lambda seconds: datetime.datetime.fromtimestamp(seconds, UTC)
    query = f"SELECT {', '.join(NAMES)}, starts_at_unix, {', '.join(NUMBERS)}, trade_count FROM bars_v1"
    return [row(values[:4], instant(values[4]), values[5:11], values[11]) for values in connection.execute(query)]


def from_postgres(url):
    """What is stored, by libpq."""
    query = f"SELECT {', '.join(COLUMNS)} FROM barkeep.bars_v1"
    with psycopg.connect(url) as connection:
        return [row(values[:4], values[4], values[5:11], values[11]) for values in connection.execute(query)]


def partitioning():
    """Names are texts, whatever they look like."""
    fields = [(name, pyarrow.string()) for name in ["feed", "adjustment", "timeframe", "symbol"]]
    return pyarrow.dataset.partitioning(pyarrow.schema([*fields, ("year", pyarrow.int32())]), flavor="hive")


def parquet_by_pyarrow(folder):
    return rows_of(pyarrow.dataset.dataset(folder, partitioning=partitioning()).to_table())


TEXTS = "hive_types = {feed: VARCHAR, adjustment: VARCHAR, timeframe: VARCHAR, symbol: VARCHAR, year: INTEGER}"


def by_duckdb(relation, cast=""):
    numbers = ", ".join(f"{name}{cast}" for name in NUMBERS)
    starts_at = "epoch(starts_at)::BIGINT"
    found = duckdb.sql(f"SELECT {', '.join(NAMES)}, {starts_at}, {numbers}, trade_count FROM {relation}").fetchall()
    instant = lambda seconds: datetime.datetime.fromtimestamp(seconds, UTC)
    return [row(values[:4], instant(values[4]), values[5:11], values[11]) for values in found]


def ipc_by_pyarrow(path):
    with pyarrow.ipc.open_stream(path) as stream:
        return rows_of(stream.read_all())


def csv_by_python(path):
    """Python's csv in its strict mode; the values by its own reader of floats."""
    text = pathlib.Path(path).read_bytes()
    assert text.endswith(b"\r\n") and text.count(b"\n") == text.count(b"\r\n"), "lines end in CR LF"
    lines = csv.DictReader(text.decode("ascii").split("\r\n")[:-1], strict=True)
    assert lines.fieldnames == COLUMNS, lines.fieldnames
    found = []
    for line in lines:
        assert all(not value.startswith(("=", "+", "-", "@")) for value in line.values()), line
        number = lambda name, read: read(line[name]) if line[name] else None
        starts_at = datetime.datetime.fromisoformat(line["starts_at"])
        assert starts_at.tzinfo == UTC and line["starts_at"].endswith("Z"), line
        numbers = [number(name, float) for name in NUMBERS]
        found.append(row([line[name] for name in NAMES], starts_at, numbers, number("trade_count", int)))
    return found


def compare(what, found, stored):
    # A list, so that a bar that is there twice is not taken for one.
    if sorted(found, key=repr) != sorted(stored, key=repr):
        missing, extra = set(stored) - set(found), set(found) - set(stored)
        sys.exit(f"{what}: {len(found)} bars of {len(stored)}; missing {list(missing)[:3]}, extra {list(extra)[:3]}")
    print(f"{what}: {len(found)} bars are as they are stored")


def check_manifest(folder):
    manifest = json.loads((folder / "_manifest.json").read_text())
    listed = {entry["path"] for entry in manifest["partitions"]}
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == listed | {"_manifest.json"}, there ^ listed
    types = set()
    for entry in manifest["partitions"]:
        assert entry["format"] == manifest["format"], entry
        file = (folder / entry["path"]).read_bytes()
        assert (hashlib.sha256(file).hexdigest(), len(file)) == (entry["sha256"], entry["bytes"]), entry
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(file))
        types.add(str(table.schema))
        starts = table.column("starts_at").to_pylist()
        assert starts == sorted(set(starts)), f"{entry['path']} is not sorted"
        ends = [datetime.datetime.fromisoformat(entry[name]) for name in ["first", "last"]]
        assert ([starts[0], starts[-1]], len(starts)) == (ends, entry["rows"]), entry
        assert {start.year for start in starts} == {entry["year"]}, entry
        assert codecs_of(file) == {"ZSTD"}, codecs_of(file)
    assert len(types) == 1, types
    return manifest["format"]


def codecs_of(file):
    group = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(file)).metadata.row_group(0)
    return {group.column(index).compression for index in range(group.num_columns)}


def check(kind, folder, stored):
    decimals = {"prices": "decimal(18,4)", "vwap": "decimal(18,6)", "volume": "decimal(18,2)"}
    floats = dict.fromkeys(decimals, "double")
    usual = [bar for bar in stored if bar[0] != "ODD/1"]
    assert len(usual) < len(stored)
    for name, wanted, bars in [("exact", decimals, usual), ("floats", floats, usual), ("odd", floats, stored)]:
        assert check_manifest(folder / name) == wanted, name
        files = f"read_parquet('{folder / name}/**/*.parquet', {TEXTS})"
        compare(f"{kind}/{name}, pyarrow", parquet_by_pyarrow(folder / name), bars)
        compare(f"{kind}/{name}, DuckDB", by_duckdb(files), bars)
        compare(f"{kind}/{name}, DuckDB as DOUBLE", by_duckdb(files, "::DOUBLE"), bars)
    compare(f"{kind}/ipc, pyarrow", ipc_by_pyarrow(folder / "bars.arrows"), stored)
    compare(f"{kind}/csv, Python", csv_by_python(folder / "bars.csv"), stored)


def main(folder, postgres_url):
    started = time.monotonic()
    folder = pathlib.Path(folder)
    stored = from_sqlite(folder / "bars.db")
    check("sqlite", folder / "sqlite", stored)
    compare("PostgreSQL and SQLite", from_postgres(postgres_url), stored)
    check("postgres", folder / "postgres", stored)
    print(f"read back in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Bars from end to end by Alpaca's official Python client, as `alpaca_stream` asks for them.

    stream.py URL models|raw [RUNS]

Prints a line for each shape: bars, bars a second, and bars a second of this process's processor time, each the median
of the runs (5 if not told) after one that is not timed. `models` is what the client gives by default; `raw` leaves the
vendor's JSON as dictionaries.
"""

import sys
import time
from datetime import datetime, timedelta, timezone
from statistics import median

from alpaca.data.enums import DataFeed
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.requests import StockBarsRequest
from alpaca.data.timeframe import TimeFrame

URL, WAY = sys.argv[1], sys.argv[2]
RUNS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
SYMBOLS = ["AAPL", "AMD", "AMZN", "GOOGL", "INTC", "META", "MSFT", "MU", "NVDA", "TSLA"]
MONTH, DECADE = ("2024-03-01", "2024-04-01"), ("2016-01-01", "2026-01-01")
# A name, a timeframe, the first and the last day, and how many symbols a request asks for. This client is synchronous: its
# requests follow one another.
SHAPES = [
    ("m1", TimeFrame.Minute, MONTH, 10),
    ("m1-slices", TimeFrame.Minute, MONTH, 1),
    ("d1", TimeFrame.Day, DECADE, 10),
]


def instant(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def fetch(client, symbols, timeframe, start, end):
    # The vendor's end is inclusive.
    request = StockBarsRequest(
        symbol_or_symbols=symbols,
        timeframe=timeframe,
        start=instant(start),
        end=instant(end) - timedelta(seconds=1),
        feed=DataFeed.SIP,
    )
    found = client.get_stock_bars(request)
    return sum(map(len, (found if isinstance(found, dict) else found.data).values()))


def timed(client, timeframe, span, symbols):
    wall, processor = time.perf_counter(), time.process_time()
    slices = [SYMBOLS[first : first + symbols] for first in range(0, len(SYMBOLS), symbols)]
    bars = sum(fetch(client, slice, timeframe, *span) for slice in slices)
    return bars, time.perf_counter() - wall, time.process_time() - processor


client = StockHistoricalDataClient("key", "secret", url_override=URL, raw_data=WAY == "raw")
for name, *shape in SHAPES:
    bars = timed(client, *shape)[0]
    runs = [timed(client, *shape) for _ in range(RUNS)]
    assert all(run[0] == bars for run in runs), "the same bars again"
    wall, processor = (median(run[part] for run in runs) for part in (1, 2))
    print(f"stream alpaca-py-{WAY} {name} {bars} bars {bars / wall:.0f} bars/s {bars / processor:.0f} bars/processor-s")

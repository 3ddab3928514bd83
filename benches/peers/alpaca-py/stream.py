"""Bars from end to end by Alpaca's official Python client, as `alpaca_stream` asks for them.

    stream.py URL [RUNS]

Prints a line for each shape: bars, bars a second, and bars a second of this process's processor time. `models` is what
the client gives by default; `raw` leaves the vendor's JSON as dictionaries.
"""

import sys
import time
from datetime import datetime, timedelta, timezone

from alpaca.data.enums import DataFeed
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.requests import StockBarsRequest
from alpaca.data.timeframe import TimeFrame

URL = sys.argv[1]
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
SYMBOLS = ["AAPL", "AMD", "AMZN", "GOOGL", "INTC", "META", "MSFT", "MU", "NVDA", "TSLA"]
SHAPES = [("m1", TimeFrame.Minute, "2024-03-01", "2024-04-01"), ("d1", TimeFrame.Day, "2016-01-01", "2026-01-01")]


def instant(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def fetch(client, timeframe, start, end):
    # The vendor's end is inclusive.
    request = StockBarsRequest(
        symbol_or_symbols=SYMBOLS,
        timeframe=timeframe,
        start=instant(start),
        end=instant(end) - timedelta(seconds=1),
        feed=DataFeed.SIP,
    )
    found = client.get_stock_bars(request)
    return sum(map(len, (found if isinstance(found, dict) else found.data).values()))


for way, raw in (("models", False), ("raw", True)):
    client = StockHistoricalDataClient("key", "secret", url_override=URL, raw_data=raw)
    for name, timeframe, start, end in SHAPES:
        best = None
        for _ in range(RUNS):
            wall, processor = time.perf_counter(), time.process_time()
            bars = fetch(client, timeframe, start, end)
            took = (time.perf_counter() - wall, time.process_time() - processor)
            best = min(best or took, took)
        print(f"stream alpaca-py-{way} {name} {bars} bars {bars / best[0]:.0f} bars/s {bars / best[1]:.0f} bars/processor-s")

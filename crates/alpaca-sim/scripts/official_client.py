"""Fetches from the simulator with Alpaca's official client and compares with the truth, number by number.

    official_client.py URL PROGRAM

where PROGRAM is the simulator, whose `truth` command tells what must be found. Exits with 0 only if all of it was.
"""

import csv
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone

import requests
from alpaca.common.enums import Sort
from alpaca.data.enums import Adjustment, DataFeed
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.requests import CorporateActionsRequest, CryptoBarsRequest, StockBarsRequest
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AssetStatus
from alpaca.trading.requests import GetAssetsRequest, GetCalendarRequest

URL, PROGRAM = sys.argv[1:]
KEYS = {"api_key": "key", "secret_key": "secret", "url_override": URL}
TIMEFRAMES = {
    "m1": TimeFrame.Minute,
    "m15": TimeFrame(15, TimeFrameUnit.Minute),
    "h1": TimeFrame.Hour,
    "h4": TimeFrame(4, TimeFrameUnit.Hour),
    "d1": TimeFrame.Day,
    "w1": TimeFrame.Week,
    "mn1": TimeFrame.Month,
}
pages = 0
failures = 0


def count_pages():
    """Counts every request that the official client makes."""
    send = requests.Session.send

    def counted(*arguments, **named):
        global pages
        pages += 1
        return send(*arguments, **named)

    requests.Session.send = counted


def truth(symbols, timeframe, start, end, feed, adjustment):
    """What must be found of bars that start from `start` to `end`, the end included as the vendor has it."""
    instants = [instant.isoformat() for instant in (start, end + timedelta(seconds=1))]
    command = [PROGRAM, "--symbols", "EXTRA", "truth", ",".join(symbols), timeframe, *instants]
    command += ["--feed", feed, "--adjustment", adjustment]
    found = {}
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for row in csv.DictReader(text.splitlines()):
        numbers = [float(row[name]) for name in ("open", "high", "low", "close", "volume", "vwap", "trade_count")]
        found.setdefault(row["symbol"], []).append((datetime.fromisoformat(row["ts_utc"]), *numbers))
    return found


def numbers(bar):
    return (bar.timestamp, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.trade_count)


def report(what, right, count):
    global failures, pages
    failures += not right
    print(f"{what:<44} {count:>7} {pages:>8}  {'equal' if right else 'DIFFERENT'}")
    pages = 0


def bars(what, fetch, symbols, timeframe, start, end, feed="sip", adjustment="raw", descending=False):
    got = {symbol: [numbers(bar) for bar in found] for symbol, found in fetch().data.items() if found}
    expected = truth(symbols, timeframe, start, end, feed, adjustment)
    if descending:
        expected = {symbol: found[::-1] for symbol, found in expected.items()}
    report(what, got == expected, sum(map(len, got.values())))


def stocks(what, symbols, timeframe, start, end, feed="sip", adjustment="raw", descending=False):
    request = StockBarsRequest(
        symbol_or_symbols=symbols,
        timeframe=TIMEFRAMES[timeframe],
        start=start,
        end=end,
        feed=DataFeed(feed),
        adjustment=Adjustment(adjustment),
        sort=Sort.DESC if descending else Sort.ASC,
    )
    fetch = lambda: StockHistoricalDataClient(**KEYS).get_stock_bars(request)
    bars(what, fetch, symbols, timeframe, start, end, feed, adjustment, descending)


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def all_stock_bars():
    symbols = ["TSLA", "AAPL", "MSFT", "BRK.B", "EXTRA", "ZTST"]
    stocks("m1, 6 symbols, 2 weeks", symbols, "m1", day("2024-03-01"), day("2024-03-15"))
    stocks("m15, 6 symbols, 3 months", symbols, "m15", day("2024-01-01"), day("2024-04-01"))
    stocks("h1, 6 symbols, 2 years", symbols, "h1", day("2023-01-01"), day("2025-01-01"))
    stocks("h4, 6 symbols, 2 years", symbols, "h4", day("2023-01-01"), day("2025-01-01"))
    stocks("d1, 6 symbols, 10 years", symbols, "d1", day("2016-01-01"), day("2026-01-01"))
    stocks("w1, 6 symbols, 10 years", symbols, "w1", day("2016-01-01"), day("2026-01-01"))
    stocks("mn1, 6 symbols, 10 years", symbols, "mn1", day("2016-01-01"), day("2026-01-01"))
    stocks("h1, latest first", symbols, "h1", day("2024-01-01"), day("2024-07-01"), descending=True)
    stocks("d1, iex", symbols, "d1", day("2024-01-01"), day("2025-01-01"), feed="iex")
    stocks("d1, adjusted for splits", ["NVDA", "AVGO"], "d1", day("2024-01-01"), day("2025-01-01"), adjustment="split")


def all_crypto_bars():
    symbols, start, end = ["BTC/USD", "ETH/USD"], day("2024-01-01"), day("2024-04-01")
    for timeframe in ("h1", "d1"):
        request = CryptoBarsRequest(symbol_or_symbols=symbols, timeframe=TIMEFRAMES[timeframe], start=start, end=end)
        fetch = lambda: CryptoHistoricalDataClient(url_override=URL).get_crypto_bars(request)
        bars(f"{timeframe}, 2 coins, 3 months", fetch, symbols, timeframe, start, end)


def reference_data():
    trading = TradingClient(**KEYS)
    days = trading.get_calendar(GetCalendarRequest(start=date(2024, 7, 1), end=date(2024, 7, 5)))
    closes = [(each.date.day, each.close.hour) for each in days]
    report("calendar, with an early close and a holiday", closes == [(1, 16), (2, 16), (3, 13), (5, 16)], len(days))
    assets = trading.get_all_assets(GetAssetsRequest(status=AssetStatus.ACTIVE))
    report("assets", {"AAPL", "EXTRA"} <= {asset.symbol for asset in assets}, len(assets))
    report("clock", trading.get_clock().next_open is not None, 1)
    request = CorporateActionsRequest(start=date(2024, 6, 1), end=date(2024, 7, 31))
    actions = CorporateActionsClient(**KEYS).get_corporate_actions(request).data
    splits = [(split.symbol, split.new_rate) for split in actions["forward_splits"]]
    report("corporate actions", splits == [("NVDA", 10), ("AVGO", 10)], len(splits))


count_pages()
print(f"{'':<44} {'items':>7} {'requests':>8}")
all_stock_bars()
all_crypto_bars()
reference_data()
sys.exit(1 if failures else 0)

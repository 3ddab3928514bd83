"""Reads the lines of `alpaca_stream` and `stream.py`, and prints medians and how they compare."""

import sys
from collections import defaultdict
from statistics import median

figures, bars = defaultdict(list), defaultdict(set)
for line in sys.stdin:
    _, client, shape, count, _, wall, _, processor, _ = line.split()
    figures[client, shape].append((float(wall), float(processor)))
    bars[shape.removesuffix("-at-once")].add(count)
assert all(len(counts) == 1 for counts in bars.values()), f"different bars: {dict(bars)}"

medians = {}
for key, runs in figures.items():
    medians[key] = [median(run[part] for run in runs) for part in (0, 1)]
    walls = [run[0] for run in runs]
    print(f"median {key[0]} {key[1]} {medians[key][0]:.0f} bars/s ({min(walls):.0f} to {max(walls):.0f}) {medians[key][1]:.0f} bars/processor-s")
for (client, shape), (wall, processor) in medians.items():
    if client == "barkeep":
        continue
    for ours in (shape, f"{shape}-at-once"):
        if found := medians.get(("barkeep", ours)):
            print(f"ratio alpaca_stream/{ours}/{client} {found[0] / wall:.1f} by the clock, {found[1] / processor:.1f} of processor time")

"""Measure what the product must reach, and end with one table.

In:   the names of the benches wanted, or none for all.
Out:  the table on standard output, the same figures as JSON in `.state/bench.json`. Exit status 0, also when a figure
      falls short; any other only when a bench could not be run.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.benches import BENCHES, Bench
from tests.bench.figures import Figure, as_json, cells, figure
from tests.bench.say import say

ROOT = Path(__file__).resolve().parents[2]
REPORT = Path(os.environ.get("ENERGY_STATE", ROOT / ".state")) / "bench.json"
HEADINGS = ("measure", "figure (spread)", "must reach", "ratio to peer", "")
TABLE_WIDTH = 150


async def measure(benches: Sequence[Bench]) -> list[Figure]:
    """Run the benches one after the other."""
    rows: list[Figure] = []
    for bench in benches:
        say(f"{bench.name} …")
        started_s = time.monotonic()
        samples = await bench.run()
        rows += [figure(row, samples[row.name]) for row in bench.measures]
        say(f"{bench.name}: {time.monotonic() - started_s:.0f} s")
    return rows


def show(rows: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*cells(row))
    Console(width=TABLE_WIDTH).print(table)


def save(rows: Sequence[Figure]) -> None:
    """Write the figures of this run into the report, beside those of benches that did not run now."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(REPORT.read_text())["figures"] if REPORT.exists() else {}
    machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    report = {"machine": machine, "figures": {**before, **as_json(rows)}}
    REPORT.write_text(json.dumps(report, indent=2) + "\n")


def main() -> int:
    """Run what the command line asks for."""
    names = [bench.name for bench in BENCHES]
    parser = argparse.ArgumentParser(prog="script/bench", description="Measure what the product must reach.")
    parser.add_argument("benches", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all when none is given")
    wanted = parser.parse_args().benches
    if unknown := set(wanted) - set(names):
        parser.error(f"no bench is called {', '.join(sorted(unknown))}")
    say(f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    rows = asyncio.run(measure([bench for bench in BENCHES if not wanted or bench.name in wanted]))
    save(rows)
    show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A process of its own that does something to a DuckDB store and tells of it line by line.

In:   what to do, and the folder, on the command line. `process` runs it from a test.
Out:  a line for each step.
"""

import asyncio
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from energy_server.errors import StoreUnavailableError
from energy_server.model.reading import Origin
from energy_server.model.statistic import Level, Source
from energy_server.store.duckdb import DuckDBSeriesStore, Thresholds
from tests.server.store.readings import DAY_US, EVER, HOUR_US, NOON_US, SITE, StatisticRow, batch, statistics

KEYS = ("a", "b", "c")
STEPS_PER_UPKEEP = 5
LONGEST_LINE = 2**22
ROOT = Path(__file__).parents[3]
STEPS_OF = tuple(f"duckdb/{name}.py" for name in ("copying", "instance", "months", "sorting", "statistics", "upkeep"))
EAGER = Thresholds(
    unsorted_rows=50, settled_s=0, late_share=10, statistics_rows=100, commits=100, rows_at_once=60, pause_share=0
)
"""Everything is due all the time."""


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `holding` in a process that is killed, not asked, at the end."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.server.store.holding", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def line(child: asyncio.subprocess.Process) -> str:
    assert child.stdout is not None
    async with asyncio.timeout(60):
        return (await child.stdout.readline()).decode().strip()


def say(text: object) -> None:
    print(text, flush=True)  # noqa: T201 - the parent reads it


async def hold(folder: Path) -> None:
    """Keep the store open until killed."""
    store = DuckDBSeriesStore(folder)
    await store.open()
    say("open")
    await asyncio.Event().wait()


async def write(folder: Path, first: int) -> None:
    """Append step after step, each telling when it is durable, with upkeep under way nearly always."""
    store = DuckDBSeriesStore(folder, thresholds=EAGER)
    await store.open()
    upkeep = None
    for step in range(first, 1_000_000):
        live = [batch(key, rows_of_step(step)) for key in KEYS]
        again = batch("a", rows_of_step(max(0, step - 3)), Origin.RECORDER)
        replacing = batch("b", rows_of_step(max(0, step - 2)))
        await store.append([*live, again, replacing])
        await store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, statistics(hours_of([step])))
        say(step)
        if step % STEPS_PER_UPKEEP == 0 and (upkeep is None or upkeep.done()):
            if upkeep is not None:
                upkeep.result()
            upkeep = asyncio.create_task(store.upkeep())


def rows_of_step(step: int) -> list[tuple[int, float | None]]:
    """Return three readings: one old, one new, one in the next month."""
    return [(NOON_US + ahead + step, float(step)) for ahead in (-DAY_US, 0, 25 * DAY_US)]


def hours_of(steps: Iterable[int]) -> list[StatisticRow]:
    """Return an hour of each step, for each key: not one after the other, so that some come behind a copy."""
    return [(key, NOON_US // HOUR_US * HOUR_US + (step ^ 21) * HOUR_US, float(step)) for step in steps for key in KEYS]


async def fill(folder: Path) -> None:
    """Write until the process may not write more, tell of it, then be allowed to and go on."""
    store = DuckDBSeriesStore(folder)
    await store.open()
    await store.append([batch("a", [(NOON_US, 1.0)])])
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    stored = 0
    for step in range(1, 100):
        rows = [(NOON_US + step * 10_000 + row, row * 0.1) for row in range(10_000)]
        try:
            await store.append([batch("a", rows)])
        except StoreUnavailableError as err:
            say(err.message.replace("\n", " "))
            say((await store.info()).well)
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            await store.append([batch("a", rows)])
            say(len(await store.read(SITE, "a", *EVER)) == 1 + stored + len(rows))
            return
        stored += len(rows)


async def die(folder: Path, at: int) -> None:
    """Do all upkeep, but be killed before that line of it, or at its end; for 0 tell how many lines each file has."""
    passed: list[str] = []

    def step(frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            passed.append(Path(frame.f_code.co_filename).stem)
            if len(passed) == at:
                os.kill(os.getpid(), signal.SIGKILL)
        return step

    def call(frame: FrameType, _event: str, _argument: Any) -> Any:
        return step if tracing and frame.f_code.co_filename.endswith(STEPS_OF) else None

    tracing = False
    threading.settrace(call)
    sys.settrace(call)
    store = DuckDBSeriesStore(folder, thresholds=replace(EAGER, commits=1))
    await store.open()
    held = await store.read(SITE, "a", *EVER)
    await store.append([batch("a", [(int(held.ts_us[0]), 0.5)], Origin.RECORDER)])  # changes nothing, but is a commit
    tracing = True
    while await store.upkeep():
        pass
    if at:
        os.kill(os.getpid(), signal.SIGKILL)
    say(json.dumps(passed))
    await store.close()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["hold", where]:
            asyncio.run(hold(Path(where)))
        case ["write", where, first_step]:
            asyncio.run(write(Path(where), int(first_step)))
        case ["die", where, line_number]:
            asyncio.run(die(Path(where), int(line_number)))
        case ["fill", where]:
            asyncio.run(fill(Path(where)))

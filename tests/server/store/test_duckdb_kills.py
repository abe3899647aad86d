"""The DuckDB store is killed while it writes and sorts: nothing acknowledged is lost, nothing is doubled.

When is random. The seed is printed; ENERGY_FAULT_SEED repeats it, ENERGY_SOAK makes it long.
"""

import json
import os
import random
import shutil
import signal
from asyncio.subprocess import Process
from pathlib import Path

import pytest

from energy_server.model.statistic import Level, Source
from energy_server.store.duckdb import DuckDBSeriesStore, Thresholds
from tests.product.saying import say
from tests.server.store.holding import EAGER, KEYS, STEPS_OF, hours_of, line, process, rows_of_step
from tests.server.store.readings import (
    DAY_US,
    EVER,
    HOUR_US,
    NOON_US,
    SITE,
    Row,
    StatisticRow,
    batch,
    changes_of,
    rows_of,
    statistics,
)

SOAKING = bool(os.environ.get("ENERGY_SOAK"))
KILLS = 50 if SOAKING else 5
STEPS_KILLED_AT = 100 if SOAKING else 2
"""Of each module that takes part."""
FIVE_IMPORT = (Level.FIVE_MINUTES, Source.IMPORT)
HOUR_ROLLUP = (Level.HOUR, Source.ROLLUP)

pytestmark = pytest.mark.timeout(60 + 20 * KILLS)


async def test_nothing_acknowledged_is_lost_by_kills_and_nothing_doubled(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - when to kill
    say(f"The DuckDB store is killed {KILLS} times at random moments, seed {seed}")
    first, sorted_meanwhile = 0, set[str]()
    for _ in range(KILLS):
        before = sorted_files(tmp_path)
        async with process("write", str(tmp_path), str(first)) as child:
            for _ in range(rng.randrange(10, 40)):
                first = int(await line(child)) + 1
        first = await told_since(child, first)
        sorted_meanwhile |= sorted_files(tmp_path) - before
        store = DuckDBSeriesStore(tmp_path, thresholds=EAGER)
        await store.open()
        for key in KEYS:
            found = rows_of(await store.read(SITE, key, *EVER))
            stored = [int(value or 0) for _, value in found]
            assert set(range(first)) <= set(stored), "a step that was acknowledged is there"
            assert max(stored) <= first + 1, "but for what was under way, nothing else is"
            expected = sorted({row for step in set(stored) for row in rows_of_step(step)})
            assert set(found) <= set(expected)
            assert [row for row in expected if (row[1] or 0) < first] == [row for row in found if (row[1] or 0) < first]
        assert (await store.info()).readings == sum([len(await store.read(SITE, key, *EVER)) for key in KEYS])
        while await store.upkeep():
            pass
        held = changes_of(await store.statistics(SITE, KEYS, *HOUR_ROLLUP, *EVER))
        assert set(hours_of(range(first))) <= set(held), "Statistics that were acknowledged are there"
        assert len(held) == (await store.info()).statistics, "each of them once"
        assert (await store.latest(SITE))["a"].ts_us == (await store.read(SITE, "a", *EVER)).ts_us[-1]
        await store.close()
    assert sorted_meanwhile, "sorting was under way too"


def sorted_files(folder: Path) -> set[str]:
    """Return the files that sorting has made, or has begun to make."""
    names = {path.name for path in (folder / "readings").glob("*") if path.suffix != ".wal"}
    return {name for name in names if ".g1." not in name or name.endswith(".building")}


async def told_since(child: Process, first: int) -> int:
    """Return the step after the last one that was told of, also what had not been read before the kill."""
    assert child.stdout is not None
    rest = (await child.stdout.read()).decode().splitlines(keepends=True)
    return max([first, *(int(text) + 1 for text in rest if text.endswith("\n"))])


type Held = dict[str, list[Row] | list[StatisticRow]]


async def everything(store: DuckDBSeriesStore) -> Held:
    held: Held = {key: rows_of(await store.read(SITE, key, *EVER)) for key in KEYS}
    for pair in (FIVE_IMPORT, HOUR_ROLLUP):
        held[str(pair)] = changes_of(await store.statistics(SITE, KEYS, *pair, *EVER))
    info = await store.info()
    assert info.readings + info.statistics == sum(map(len, held.values())), "nothing is there twice"
    return held


async def unsorted(folder: Path) -> Held:
    """Make a store of two months that are over, and of Statistics with a head and a tail, with much to sort."""
    store = DuckDBSeriesStore(folder, thresholds=Thresholds(unsorted_rows=10**9, settled_s=1e9, statistics_rows=10))
    await store.open()
    first = statistics([(key, NOON_US + hour * HOUR_US, hour) for key in KEYS for hour in range(0, 100, 2)])
    await store.put_statistics(SITE, *HOUR_ROLLUP, first)
    assert await store.upkeep()
    more = statistics([(key, NOON_US + hour * HOUR_US, -hour) for key in KEYS for hour in range(70, 150)])
    await store.put_statistics(SITE, *HOUR_ROLLUP, more)
    await store.put_statistics(SITE, *FIVE_IMPORT, more)
    for step in range(8):
        rows: list[Row] = [(NOON_US + day * DAY_US + step, step + day) for day in range(30)]
        await store.append([batch(key, rows) for key in KEYS])
    held = await everything(store)
    await store.close()
    return held


def chosen(steps: list[str], rng: random.Random) -> list[int]:
    """Return moments of every module that takes part."""
    by_module: dict[str, list[int]] = {}
    for moment, module in enumerate(steps, 1):
        by_module.setdefault(module, []).append(moment)
    assert len(by_module) == len(STEPS_OF)
    moments = [rng.sample(of, min(len(of), STEPS_KILLED_AT)) for of in by_module.values()]
    return sorted(moment for of in moments for moment in of)


async def test_a_kill_at_any_step_of_upkeep_costs_nothing(tmp_path: Path, seed: int) -> None:
    held = await unsorted(tmp_path / "unsorted")
    shutil.copytree(tmp_path / "unsorted", tmp_path / "whole")
    async with process("die", str(tmp_path / "whole"), "0") as child:
        steps = json.loads(await line(child))
    moments = chosen(steps, random.Random(seed))  # noqa: S311 - where to kill
    say(f"Upkeep is killed at {len(moments)} of its {len(steps)} steps, seed {seed}")
    for moment in moments:
        folder = tmp_path / str(moment)
        shutil.copytree(tmp_path / "unsorted", folder)
        async with process("die", str(folder), str(moment)) as child:
            assert await child.wait() == -signal.SIGKILL
        store = DuckDBSeriesStore(folder, thresholds=EAGER)
        await store.open()
        assert await everything(store) == held, f"killed before step {moment} of {len(steps)}"
        while await store.upkeep():
            pass
        assert await everything(store) == held
        await store.close()
        left = sorted(path.name for path in (folder / "readings").iterdir())
        assert [name.partition(".")[0] for name in left] == ["2026_10", "2026_11"]

"""The DuckDB store is killed while it writes and sorts: nothing acknowledged is lost, nothing is doubled."""

import os
import random
import shutil
import signal
from asyncio.subprocess import Process
from pathlib import Path

import pytest

from energy_server.model.statistic import Level, Source
from energy_server.store.duckdb import DuckDBSeriesStore
from tests.product.saying import say
from tests.server.store.holding import EAGER, KEYS, hours_of, line, process, rows_of_step
from tests.server.store.readings import DAY_US, EVER, NOON_US, SITE, Row, batch, changes_of, rows_of

SOAKING = bool(os.environ.get("ENERGY_SOAK"))
KILLS = 50 if SOAKING else 5
STEPS_KILLED_AT = 400 if SOAKING else 8

pytestmark = pytest.mark.timeout(60 + 20 * KILLS)


async def test_nothing_acknowledged_is_lost_by_kills_and_nothing_doubled(tmp_path: Path) -> None:
    rng = random.Random(11)  # noqa: S311 - when to kill
    first = 0
    for _ in range(KILLS):
        async with process("write", str(tmp_path), str(first)) as child:
            for _ in range(rng.randrange(10, 40)):
                first = int(await line(child)) + 1
        first = await told_since(child, first)
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
        held = changes_of(await store.statistics(SITE, KEYS, Level.HOUR, Source.ROLLUP, *EVER))
        assert set(hours_of(range(first))) <= set(held), "Statistics that were acknowledged are there"
        assert (await store.latest(SITE))["a"].ts_us == (await store.read(SITE, "a", *EVER)).ts_us[-1]
        await store.close()
    assert any(".g1." not in path.name for path in (tmp_path / "readings").iterdir()), "sorting was under way too"


async def told_since(child: Process, first: int) -> int:
    """Return the step after the last one that was told of, also what had not been read before the kill."""
    assert child.stdout is not None
    rest = (await child.stdout.read()).decode().splitlines(keepends=True)
    return max([first, *(int(text) + 1 for text in rest if text.endswith("\n"))])


async def everything(store: DuckDBSeriesStore) -> dict[str, list[Row]]:
    return {key: rows_of(await store.read(SITE, key, *EVER)) for key in KEYS}


async def unsorted(folder: Path) -> dict[str, list[Row]]:
    """Make a store of two months that are over, with much to sort; return what it holds."""
    store = DuckDBSeriesStore(folder)
    await store.open()
    for step in range(20):
        rows: list[Row] = [(NOON_US + day * DAY_US + step, step + day) for day in range(30)]
        await store.append([batch(key, rows) for key in KEYS])
    held = await everything(store)
    await store.close()
    return held


async def test_a_kill_at_any_step_of_sorting_costs_nothing(tmp_path: Path) -> None:
    held = await unsorted(tmp_path / "unsorted")
    shutil.copytree(tmp_path / "unsorted", tmp_path / "whole")
    async with process("die", str(tmp_path / "whole"), "0") as child:
        steps = int(await line(child))
    rng = random.Random(5)  # noqa: S311 - where to kill
    moments = sorted(rng.sample(range(1, steps + 1), min(steps, STEPS_KILLED_AT)))
    for moment in moments:
        folder = tmp_path / str(moment)
        shutil.copytree(tmp_path / "unsorted", folder)
        async with process("die", str(folder), str(moment)) as child:
            assert await child.wait() == -signal.SIGKILL
        store = DuckDBSeriesStore(folder, thresholds=EAGER)
        await store.open()
        assert await everything(store) == held, f"killed before line {moment} of {steps}"
        assert (await store.info()).readings == sum(map(len, held.values()))
        while await store.upkeep():
            pass
        assert await everything(store) == held
        await store.close()
        left = sorted(path.name for path in (folder / "readings").iterdir())
        assert [name.partition(".")[0] for name in left] == ["2026_10", "2026_11"]
    say(f"Sorting was killed at {len(moments)} of its {steps} steps")

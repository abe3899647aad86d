"""Statements of the DuckDB store fail, at any moment: nothing acknowledged is lost, nothing is doubled, and it goes on.

Each is tried where it matters most.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.model.reading import Origin, ReadingBatch
from energy_server.model.statistic import Level, Source
from energy_server.store.duckdb import DuckDBSeriesStore, sorting
from energy_server.store.duckdb.statistics import StatisticsFile
from tests.server.store.failing import Failing, failing_duckdb
from tests.server.store.holding import EAGER, KEYS, hours_of, rows_of_step
from tests.server.store.readings import EVER, NOON_US, SITE, StatisticRow, batch, changes_of, rows_of, statistics

SOAKING = bool(os.environ.get("ENERGY_SOAK"))
HOUR_ROLLUP = (Level.HOUR, Source.ROLLUP)
ERRORS = {
    "memory": duckdb.OutOfMemoryException,
    "defect": duckdb.CatalogException,
}

pytestmark = pytest.mark.timeout(600 if SOAKING else 60)


class Kept:
    """What was acknowledged to a store, which it has to hold: exactly that."""

    def __init__(self) -> None:
        self.steps: list[int] = []

    async def append(self, store: DuckDBSeriesStore) -> None:
        """Store one step more; it is acknowledged unless this raises. What was not is repeated by the next call."""
        step = len(self.steps)
        await store.append(batches_of(step))
        await store.put_statistics(SITE, *HOUR_ROLLUP, statistics(hours_of([step])))
        self.steps.append(step)

    async def check(self, store: DuckDBSeriesStore) -> None:
        """Compare with all that the store holds."""
        for key in KEYS:
            expected = sorted(row for step in self.steps for row in rows_of_step(step))
            assert rows_of(await store.read(SITE, key, *EVER)) == expected
        assert sorted(await everything(store)) == sorted(hours_of(self.steps))
        info = await store.info()
        assert (info.readings, info.statistics) == (9 * len(self.steps), 3 * len(self.steps)), "nothing is there twice"

    async def check_reopened(self, store: DuckDBSeriesStore) -> None:
        await self.check(store)
        await store.close()
        await store.open()
        await self.check(store)


def batches_of(step: int) -> list[ReadingBatch]:
    """Return new readings, and some that were there before."""
    again = batch("a", rows_of_step(max(0, step - 3)), Origin.RECORDER)
    replacing = batch("b", rows_of_step(max(0, step - 2)))
    return [*(batch(key, rows_of_step(step)) for key in KEYS), again, replacing]


async def everything(store: DuckDBSeriesStore) -> list[StatisticRow]:
    return changes_of(await store.statistics(SITE, KEYS, *HOUR_ROLLUP, *EVER))


@pytest.fixture
def failing() -> Iterator[Failing]:
    made = Failing()
    with failing_duckdb(made):
        yield made


def passing(patched: pytest.MonkeyPatch, failing: Failing, of: Any, name: str) -> None:
    """Let calls of a function count as statements that may fail."""
    real = getattr(of, name)
    patched.setattr(of, name, lambda *args: failing.pass_(name, lambda: real(*args)))


def failing_in(
    patched: pytest.MonkeyPatch, failing: Failing, function: tuple[Any, str], at: int, *, afterwards: bool
) -> None:
    """Let one statement fail of those that a function makes."""
    of, name = function
    real = getattr(of, name)

    def armed(*args: Any) -> Any:
        with failing.only(at, afterwards=afterwards):
            return real(*args)

    patched.setattr(of, name, armed)


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("afterwards", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("of", ["readings", "statistics"])
async def test_whatever_of_the_exchange_fails_nothing_is_lost(
    tmp_path: Path, failing: Failing, of: str, error: type[duckdb.Error], *, afterwards: bool
) -> None:
    """Each statement in turn, and the renaming and the syncing; readings that come next are there ever after."""
    due = replace(EAGER, unsorted_rows=10**9, statistics_rows=10**9, commits=10**9, settled_s=10**9)
    due = replace(due, unsorted_rows=5) if of == "readings" else replace(due, statistics_rows=2)
    failing.error = error
    store = DuckDBSeriesStore(tmp_path, thresholds=due, clock_us=lambda: NOON_US)
    await store.open()
    kept, told = Kept(), []
    at, finish = 1, (sorting, "finish") if of == "readings" else (StatisticsFile, "finish")
    while True:
        await kept.append(store)
        with pytest.MonkeyPatch.context() as patched:
            failing_in(patched, failing, finish, at, afterwards=afterwards)
            passing(patched, failing, Path, "rename")
            passing(patched, failing, sorting, "sync_folder")
            try:
                said = await store.upkeep()
            except StoreUnavailableError, error:
                said = None
        assert (said is None) == bool(failing.failed)
        await kept.append(store)
        await kept.check_reopened(store)
        if said:
            break
        told += failing.failed
        at += 1
    await store.close()
    assert len(told) == at - 1 > 8
    assert of == "statistics" or {"rename", "sync_folder"} < set(told)

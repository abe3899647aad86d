"""Statements of the DuckDB store fail, at any moment: nothing acknowledged is lost, nothing is doubled, and it goes on.

Which ones is random where it says so. The seed is printed; ENERGY_FAULT_SEED repeats it, ENERGY_SOAK makes it long.
"""

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.model.reading import Origin, ReadingBatch
from energy_server.model.statistic import Level, Source
from energy_server.store.duckdb import DuckDBSeriesStore, months, sorting
from energy_server.store.duckdb.statistics import StatisticsFile
from tests.product.saying import say
from tests.server.store.failing import Failing, Starving, failing_duckdb
from tests.server.store.holding import EAGER, KEYS, hours_of, rows_of_step
from tests.server.store.readings import EVER, NOON_US, SITE, StatisticRow, batch, changes_of, rows_of, statistics

SOAKING = bool(os.environ.get("ENERGY_SOAK"))
FAILING_STEPS = 1_000 if SOAKING else 60
FAILING_SHARE = 0.01
STARVINGS = 50 if SOAKING else 3
NEVER: Callable[[int], bool] = lambda _: False  # noqa: E731
HOUR_ROLLUP = (Level.HOUR, Source.ROLLUP)

pytestmark = pytest.mark.timeout(600 if SOAKING else 180)


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


async def test_whatever_of_a_first_append_fails_is_repeated_whole(tmp_path: Path, failing: Failing, seed: int) -> None:
    """Each statement in turn, also those that number the keys and make the files; before or after it was done."""
    say(f"Statements of DuckDB fail before or after they are done with the seed {seed}")
    random = Random(seed)  # noqa: S311 - chooses which
    told: list[str] = []
    for at in count(1):
        store, kept = DuckDBSeriesStore(tmp_path / str(at)), Kept()
        await store.open()
        with failing.only(at, afterwards=random.random() < 0.5):
            if failing_once := await _is_unavailable(kept.append(store)):
                await kept.append(store)
        assert failing_once == bool(failing.failed)
        await kept.append(store)
        await kept.check_reopened(store)
        await store.close()
        if not failing_once:
            break
        told += failing.failed
    assert any(what.startswith("UPDATE series") for what in told)
    assert sum(what.startswith("ATTACH") for what in told) == 4, "both months are made, then attached"


async def _is_unavailable(doing: Awaitable[None]) -> bool:
    try:
        await doing
    except StoreUnavailableError:
        return True
    return False


@pytest.mark.parametrize(
    ("error", "afterwards"),
    [(duckdb.OutOfMemoryException, False), (duckdb.OutOfMemoryException, True), (duckdb.CatalogException, False)],
    ids=["memory-before", "memory-after", "defect-before"],
)
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


async def test_whatever_fails_now_and_then_nothing_is_lost(tmp_path: Path, failing: Failing, seed: int) -> None:
    """Any statement, while readings and Statistics are stored and all kinds of upkeep done, one after the other."""
    random = Random(seed)  # noqa: S311 - chooses what fails
    say(f"Statements of DuckDB fail with the seed {seed}")
    fails = lambda _: random.random() < FAILING_SHARE  # noqa: E731
    store = DuckDBSeriesStore(tmp_path, thresholds=replace(EAGER, commits=20))
    await store.open()
    kept, done = Kept(), set[str]()
    for step in range(FAILING_STEPS):
        failing.afterwards = random.random() < 0.5
        for at in (fails, fails, fails, NEVER):
            failing.at = at
            with suppress(StoreUnavailableError):
                await kept.append(store)
                break
        assert len(kept.steps) == step + 1, "it goes on"
        failing.at = fails
        if step % 3 == 0:
            with suppress(StoreUnavailableError):
                done.add((await store.upkeep() or "").partition(" 2")[0])
        failing.at = NEVER
        if step % 10 == 0:
            await kept.check(store)
    while (said := await store.upkeep()) is not None:
        done.add(said.partition(" 2")[0])
    await kept.check_reopened(store)
    await store.close()
    assert failing.failed
    assert len({said.split()[2] for said in done if said}) == 3, "all kinds of upkeep were done"


async def test_a_commit_that_lacks_memory_costs_nothing(tmp_path: Path, seed: int) -> None:
    """DuckDB 2.0 keeps what it could not commit half in memory, and loses what comes next, unless opened anew."""
    random = Random(seed)  # noqa: S311 - chooses when memory is scarce
    starving = Starving(random, 0.4)
    say(f"Commits of DuckDB lack memory with the seed {seed}")
    store = DuckDBSeriesStore(tmp_path)
    with failing_duckdb(starving):
        await store.open()
        first, stored = NOON_US, []
        while len(starving.failed) < STARVINGS:
            rows = [(first + at, at / 3) for at in range(random.choice([10, 1_000, 30_000, 60_000]))]
            with suppress(StoreUnavailableError):
                await store.append([batch("a", rows)])
                stored.append(range(first, first + len(rows)))
            first += len(rows)
    await store.close()
    await store.open()
    found = await store.read(SITE, "a", *EVER)
    there = set(found.ts_us.tolist())
    assert all(there.issuperset(step) for step in stored)
    assert (await store.info()).readings == len(there), "nothing is there twice"
    await store.close()


async def test_a_new_file_has_its_name_on_the_disk_before_it_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as calls tell: a file is renamed, then its folder synced, then rows are appended to it."""
    events: list[str] = []

    def recorded(of: Any, name: str, told: Callable[..., str]) -> None:
        real = getattr(of, name)

        def record(*args: Any) -> Any:
            result = real(*args)
            events.append(told(*args))
            return result

        monkeypatch.setattr(of, name, record)

    recorded(os, "rename", lambda _, to: f"named {Path(to).name}")
    recorded(os, "fsync", lambda of: f"synced {Path(f'/proc/self/fd/{of}').readlink().name}")
    recorded(months, "commit", lambda _: "appended")
    store = DuckDBSeriesStore(tmp_path, thresholds=EAGER, clock_us=lambda: NOON_US)
    await store.open()
    kept = Kept()
    for _ in range(20):
        await kept.append(store)
        await store.upkeep()
    await kept.check_reopened(store)
    await store.close()
    named = [at for at, event in enumerate(events) if event.startswith("named")]
    assert {"named 2026_10.g1.duckdb", "named 2026_10.g2.duckdb"} <= {events[at] for at in named}
    for at in named:
        assert events[at + 1] == "synced readings"
        assert events[at - 1].startswith("synced") or ".g1." in events[at], "and what is in it before"

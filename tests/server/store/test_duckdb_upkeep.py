"""The upkeep of the DuckDB store: what is due, that it changes no answer, and what happens when it is interrupted."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.model.reading import Origin, ReadingSlice
from energy_server.model.statistic import Level, Source, StatisticColumns
from energy_server.store.duckdb import DuckDBSeriesStore, Thresholds, sorting, upkeep
from energy_server.store.duckdb import statistics as statistics_file
from energy_server.store.duckdb.copying import CopyDiffersError, Size, Walk, reach
from energy_server.store.duckdb.months import MonthFile
from energy_server.store.duckdb.upkeep import is_due
from tests.server.store.readings import DAY_US, EVER, HOUR_US, NOON_US, SITE, batch, changes_of, rows_of, statistics

KEYS = ("a", "b", "c")
OCTOBER = (2026 - 1970) * 12 + 9
CHRISTMAS_US = NOON_US + 73 * DAY_US
ONLY_OVER = Thresholds(settled_s=0, rows_at_once=100, pause_share=0)
"""Months that are over are sorted at once, as is nothing else."""

ALL_KINDS = {"readings", "statistics", "store"}
"""What is sorted or opened anew, as upkeep tells of it."""

type Make = Callable[..., DuckDBSeriesStore]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[DuckDBSeriesStore] = []

    def make_one(thresholds: Thresholds = ONLY_OVER, now_us: int = CHRISTMAS_US) -> DuckDBSeriesStore:
        made.append(DuckDBSeriesStore(tmp_path, thresholds=thresholds, clock_us=lambda: now_us))
        return made[-1]

    yield make_one
    for store in made:
        await store.close()


@pytest.fixture
async def store(make: Make) -> DuckDBSeriesStore:
    opened = make()
    await opened.open()
    return opened


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "readings").iterdir() if not path.name.endswith(".wal"))


async def fill(store: DuckDBSeriesStore, *, steps: int = 200) -> dict[str, list[tuple[int, float | None]]]:
    """Append interleaved readings of October and November, some of them null; return what is stored."""
    rng = random.Random(7)  # noqa: S311 - made up readings
    rows = {
        key: [
            (NOON_US + day * DAY_US + step * 1_000 + at, None if rng.random() < 0.1 else round(rng.random() * 100, 1))
            for day in (-10, 0, 25)
            for step in range(steps)
        ]
        for at, key in enumerate(KEYS)
    }
    for first in range(0, 3 * steps, 50):
        await store.append([batch(key, rows[key][first : first + 50], reset_us=first or None) for key in KEYS])
    return {key: sorted(found) for key, found in rows.items()}


async def everything(store: DuckDBSeriesStore) -> dict[str, ReadingSlice]:
    return {key: await store.read(SITE, key, *EVER) for key in KEYS}


def same(left: dict[str, ReadingSlice], right: dict[str, ReadingSlice]) -> bool:
    return all(
        getattr(left[key], column).tobytes() == getattr(right[key], column).tobytes()
        for key in KEYS
        for column in ("ts_us", "value", "reset_us", "origin")
    )


async def all_upkeep(store: DuckDBSeriesStore) -> list[str]:
    """Let the store do everything that is due; return what it says of it."""
    said = []
    async with asyncio.timeout(60):
        while (line := await store.upkeep()) is not None:
            said.append(line)
    return said


@asynccontextmanager
async def copying(store: DuckDBSeriesStore) -> AsyncIterator[asyncio.Task[str | None]]:
    """Have upkeep that stands still behind its first step of copying for the length of the context."""
    loop, begun, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def standing_still(work: type[upkeep._Months | upkeep._Statistics]) -> Callable[[Any], None]:
        real = work.copy

        def copy(self: Any) -> None:
            real(self)
            loop.call_soon_threadsafe(begun.set)
            assert go_on.wait(60)

        return copy

    with pytest.MonkeyPatch.context() as patched:
        for work in (upkeep._Months, upkeep._Statistics):
            patched.setattr(work, "copy", standing_still(work))
        doing = asyncio.create_task(store.upkeep())
        try:
            async with asyncio.timeout(60):
                await begun.wait()
            yield doing
        finally:
            go_on.set()


@pytest.mark.parametrize(
    ("ahead", "sorted_rows", "rows", "quiet_s", "due"),
    [
        (0, 0, 4_000_000, 0, False),
        (0, 0, 4_000_001, 0, True),
        (0, 4_000_000, 8_000_000, 1e6, False),
        (1, 0, 100, 1e6, False),
        (-1, 0, 1, 601, True),
        (-1, 0, 1, 599, False),
        (-1, 100, 102, 601, False),
        (-1, 100, 103, 601, True),
        (-1, 0, 0, 601, False),
    ],
)
def test_what_is_due(ahead: int, sorted_rows: int, rows: int, quiet_s: float, *, due: bool) -> None:
    file = MonthFile(OCTOBER + ahead, 1, Path(), sorted_rows)
    assert is_due(file, rows, OCTOBER, quiet_s, Thresholds()) is due


async def test_months_that_are_over_are_sorted_and_nothing_else_changes(
    store: DuckDBSeriesStore, tmp_path: Path
) -> None:
    rows = await fill(store)
    before, latest = await everything(store), await store.latest(SITE)
    said = await all_upkeep(store)
    assert [line.partition(" in ")[0] for line in said] == [
        "Sorted the readings of 2026-10",
        "Sorted the readings of 2026-11",
    ]
    assert files(tmp_path) == ["2026_10.g2.duckdb", "2026_11.g2.duckdb"]
    assert same(await everything(store), before)
    await store.close()
    await store.open()
    assert same(await everything(store), before)
    assert {key: rows_of(found) for key, found in before.items()} == rows
    assert await store.latest(SITE) == latest
    assert await all_upkeep(store) == []


async def test_sorted_rows_lie_in_order(store: DuckDBSeriesStore) -> None:
    await fill(store)
    await all_upkeep(store)
    with store._instance.using() as (opened, cursor), opened.months.reading([OCTOBER]) as files:
        found = cursor.execute(f"SELECT series, ts FROM {files[0]}.readings ORDER BY rowid").fetchall()  # noqa: S608
    assert found == sorted(found)
    assert len(found) == 1_200


async def test_what_comes_late_is_sorted_in_when_it_is_much(store: DuckDBSeriesStore, tmp_path: Path) -> None:
    await fill(store)
    await all_upkeep(store)
    first = NOON_US - 11 * DAY_US
    await store.append([batch("a", [(first + step, float(step)) for step in range(20)], Origin.RECORDER)])
    assert await all_upkeep(store) == []
    await store.append([batch("a", [(first + step, float(step)) for step in range(40)], Origin.RECORDER)])
    assert len(await all_upkeep(store)) == 1
    assert files(tmp_path) == ["2026_10.g3.duckdb", "2026_11.g2.duckdb"]
    assert rows_of(await store.read(SITE, "a", first, first + 40)) == [(first + step, step) for step in range(40)]


async def test_the_present_month_is_sorted_when_much_lies_scattered(make: Make, tmp_path: Path) -> None:
    store = make(replace(ONLY_OVER, unsorted_rows=1_200), now_us=NOON_US)
    await store.open()
    await fill(store)
    assert await all_upkeep(store) == []
    await store.append([batch("a", [(NOON_US + DAY_US, 1.0)])])
    assert len(await all_upkeep(store)) == 1
    assert files(tmp_path) == ["2026_10.g2.duckdb", "2026_11.g1.duckdb"]


async def test_no_sorting_where_space_is_scarce(store: DuckDBSeriesStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(store)
    monkeypatch.setattr("energy_server.store.duckdb.upkeep.RESERVE_BYTES", 2**60)
    assert await all_upkeep(store) == []


async def test_upkeep_tells_what_it_does(make: Make) -> None:
    store = make(replace(ONLY_OVER, rows_at_once=10))
    await store.open()
    await fill(store)
    async with copying(store) as sorting_it:
        assert ((await store.info()).doing or "").startswith("Sorting the readings of 2026-10: ")
    await sorting_it
    assert (await store.info()).doing is None


async def test_answers_are_the_same_while_upkeep_goes_on(make: Make) -> None:
    """Readers and writers beside an upkeep that never rests; what they find is what was written."""
    store = make(
        Thresholds(
            unsorted_rows=50, settled_s=0, late_share=1, statistics_rows=30, commits=40, rows_at_once=40, pause_share=0
        )
    )
    await store.open()
    rng = random.Random(3)  # noqa: S311 - made up readings
    expected: dict[str, dict[int, float]] = {key: {} for key in KEYS}
    hours: dict[tuple[str, int], float | None] = {}
    written = asyncio.Event()
    kept: set[str] = set()

    async def write() -> None:
        step = 0
        while step < 80 or not kept >= ALL_KINDS:
            step += 1
            key = rng.choice(KEYS)
            rows = {NOON_US + rng.randrange(40) * DAY_US + rng.randrange(9): float(step) for _ in range(6)}
            await store.append([batch(key, list(rows.items()))])
            expected[key] |= rows
            put = {(key, NOON_US + rng.randrange(400) * HOUR_US): float(step) for _ in range(6)}
            rolled = statistics([(of, start, value) for (of, start), value in put.items()])
            await store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, rolled)
            hours.update(put)
        written.set()

    async def read() -> None:
        while not written.is_set():
            key = rng.choice(KEYS)
            known = dict(expected[key])
            found = dict(rows_of(await store.read(SITE, key, *EVER)))
            assert known.keys() <= found.keys()
            known_hours = dict(hours)
            rolled = await store.statistics(SITE, KEYS, Level.HOUR, Source.ROLLUP, *EVER)
            assert known_hours.keys() <= {(of, start) for of, start, _ in changes_of(rolled)}
            middle = NOON_US + 20 * DAY_US
            before, after = await store.before(SITE, key, middle), await store.after(SITE, key, middle)
            assert not known or len(before) + len(after) > 0
            assert (await store.reduce(SITE, key, NOON_US, NOON_US + 40 * DAY_US, 50)).count.sum() >= len(known)

    async def keep() -> None:
        while not written.is_set():
            line = await store.upkeep()
            kept.add("" if line is None else line.split()[2])

    async with asyncio.timeout(60):
        await asyncio.gather(write(), read(), keep())
    assert {key: dict(rows_of(await store.read(SITE, key, *EVER))) for key in KEYS} == expected
    held = changes_of(await store.statistics(SITE, KEYS, Level.HOUR, Source.ROLLUP, *EVER))
    assert {(key, start): value for key, start, value in held} == hours


async def test_what_is_replaced_while_a_month_is_sorted_is_kept(make: Make, tmp_path: Path) -> None:
    store = make(replace(ONLY_OVER, rows_at_once=150))
    await store.open()
    rows = await fill(store)
    replaced = {}
    async with copying(store) as sorting_it:
        for at, (ts_us, _) in enumerate(rows["a"][:30]):
            await store.append([batch("a", [(ts_us, at + 0.5)])])
            replaced[ts_us] = at + 0.5
    await sorting_it
    assert files(tmp_path)[0] == "2026_10.g2.duckdb"
    assert dict(rows_of(await store.read(SITE, "a", *EVER))) == dict(rows["a"]) | replaced
    assert len(await all_upkeep(store)) == 1
    assert dict(rows_of(await store.read(SITE, "a", *EVER))) == dict(rows["a"]) | replaced


async def test_much_that_is_replaced_meanwhile_abandons_the_sorting(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("energy_server.store.duckdb.months.MOST_REPLACED", 5)
    store = make(replace(ONLY_OVER, rows_at_once=150))
    await store.open()
    rows = await fill(store)
    async with copying(store) as sorting_it:
        await store.append([batch("a", [(ts_us, 777.0) for ts_us, _ in rows["a"][:10]])])
    await sorting_it
    assert files(tmp_path)[0] == "2026_10.g1.duckdb"
    assert {value for _, value in rows_of(await store.read(SITE, "a", *EVER))[:10]} == {777}
    assert len(await all_upkeep(store)) == 2
    assert {value for _, value in rows_of(await store.read(SITE, "a", *EVER))[:10]} == {777}


async def test_upkeep_that_is_cancelled_leaves_nothing(make: Make, tmp_path: Path) -> None:
    store = make(replace(ONLY_OVER, rows_at_once=25))
    await store.open()
    await fill(store)
    before = await everything(store)
    loop = asyncio.get_running_loop()
    for steps in range(1, 40, 6):
        upkeep = asyncio.create_task(store.upkeep())
        for _ in range(steps):
            await asyncio.sleep(0)
        started_s = loop.time()
        upkeep.cancel()
        await asyncio.wait([upkeep])
        assert loop.time() - started_s < 5, "one step, on a machine however busy"
        assert files(tmp_path) == ["2026_10.g1.duckdb", "2026_11.g1.duckdb"]
        assert same(await everything(store), before)
    assert len(await all_upkeep(store)) == 2
    assert same(await everything(store), before)


async def test_upkeep_that_is_cancelled_while_files_are_exchanged_ends_that(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is cancelled."""
    store = make()
    await store.open()
    await fill(store)
    before = await everything(store)
    loop, finish = asyncio.get_running_loop(), sorting.finish
    upkeep = asyncio.create_task(store.upkeep())

    def cancel(done: threading.Event) -> None:
        upkeep.cancel()
        loop.call_soon(done.set)  # once it knows

    def cancelled_meanwhile(*args: Any) -> bool:
        for _ in range(3):
            done = threading.Event()
            loop.call_soon_threadsafe(cancel, done)
            assert done.wait(20)
        return finish(*args)

    monkeypatch.setattr(sorting, "finish", cancelled_meanwhile)
    with pytest.raises(asyncio.CancelledError):
        await upkeep
    assert files(tmp_path) == ["2026_10.g2.duckdb", "2026_11.g1.duckdb"]
    assert same(await everything(store), before)


async def test_a_store_closed_while_it_sorts_is_none_the_worse(make: Make, tmp_path: Path) -> None:
    store = make(replace(ONLY_OVER, rows_at_once=25))
    await store.open()
    await fill(store)
    before = await everything(store)
    async with copying(store) as sorting_it:
        await store.close()
    with pytest.raises(StoreUnavailableError):
        await sorting_it
    await store.open()
    assert files(tmp_path) == ["2026_10.g1.duckdb", "2026_11.g1.duckdb"]
    assert same(await everything(store), before)


async def test_upkeep_goes_on_after_the_store_was_opened_anew(make: Make) -> None:
    store = make(replace(ONLY_OVER, commits=1))
    await store.open()
    await store.append([batch("a", [(CHRISTMAS_US, 1.0)])])
    reading = [store.read(SITE, "a", *EVER) for _ in range(20)]
    done, found = await asyncio.gather(store.upkeep(), asyncio.gather(*reading))
    assert done == "Opened the store anew after 1 commits"
    assert all(len(one) == 1 for one in found)
    assert (await store.latest(SITE))["a"].value == 1
    assert await store.upkeep() is None


async def test_what_an_interrupted_sorting_left_is_deleted_at_opening(store: DuckDBSeriesStore, tmp_path: Path) -> None:
    await fill(store)
    before = await everything(store)
    await store.upkeep()
    await store.close()
    folder = tmp_path / "readings"
    for name in (
        "2026_10.g1.duckdb",
        "2026_10.g1.duckdb.wal",
        "2026_10.g2.duckdb.building",
        "2026_12.g1.duckdb.building",
    ):
        (folder / name).write_bytes(b"left")
    (folder / "a note of the user").touch()
    await store.open()
    assert files(tmp_path) == ["2026_10.g2.duckdb", "2026_11.g1.duckdb", "a note of the user"]
    assert same(await everything(store), before)


async def test_a_copy_that_differs_is_thrown_away(
    store: DuckDBSeriesStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(store)
    before = await everything(store)
    with monkeypatch.context() as patched:
        patched.setattr(sorting, "_UPTO", sorting._UPTO + " AND ts % 7 <> 0")
        with pytest.raises(CopyDiffersError):
            await store.upkeep()
    assert files(tmp_path) == ["2026_10.g1.duckdb", "2026_11.g1.duckdb"]
    assert len(await all_upkeep(store)) == 2
    assert same(await everything(store), before)


async def test_sorted_statistics_read_the_same(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics_file, "FEW_PERIODS", 0)
    store = make(replace(ONLY_OVER, statistics_rows=10))
    await store.open()
    year_us = 1_798_761_600_000_000
    spans = [(year_us - 30 * HOUR_US, year_us + 30 * HOUR_US), (year_us - 3 * HOUR_US, year_us + HOUR_US), EVER]

    async def read() -> list[StatisticColumns]:
        return [await store.statistics(SITE, ["b", "x", "a"], Level.HOUR, Source.ROLLUP, *span) for span in spans]

    async def put(hours: range, plus: float) -> None:
        rows = [(key, year_us + hour * HOUR_US, hour + plus) for hour in hours for key in ("a", "b", "c")]
        await store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, statistics(rows))

    held: dict[int, float] = {}
    sorted_years = 0
    for round_, hours in enumerate((range(-20, 10), range(5, 25), range(-25, 3), range(24, 26))):
        await put(hours, round_ / 10)
        held |= {hour: hour + round_ / 10 for hour in hours}
        before = [changes_of(found) for found in await read()]
        sorted_years += len(await all_upkeep(store))
        assert [changes_of(found) for found in await read()] == before
        assert before[-1] == [(key, year_us + hour * HOUR_US, held[hour]) for key in "ba" for hour in sorted(held)]
    assert sorted_years >= 3
    await store.close()
    await store.open()
    assert [changes_of(found) for found in await read()] == before


async def test_much_that_is_put_while_statistics_are_sorted_abandons_it(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics_file, "MOST_NOTED_ROWS", 5)
    store = make(replace(ONLY_OVER, statistics_rows=10, rows_at_once=15))
    await store.open()
    rows = [(key, NOON_US + hour * HOUR_US, 1.0) for hour in range(50) for key in KEYS]
    await store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, statistics(rows))
    async with copying(store) as sorting_it:
        again = statistics([(key, start, 2.0) for key, start, _ in rows[:10]])
        await store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, again)
    assert await sorting_it is None
    assert len(await all_upkeep(store)) == 1
    held = await store.statistics(SITE, KEYS, Level.HOUR, Source.ROLLUP, *EVER)
    assert np.unique(held.change, return_counts=True)[1].tolist() == [140, 10]


async def test_statistics_are_sorted_also_where_they_are_put_all_the_time(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB refuses a checkpoint while anything is written: here all the time."""
    monkeypatch.setattr(statistics_file, "CHECKPOINT_TRIES", 3)
    store = make(replace(ONLY_OVER, statistics_rows=10))
    await store.open()
    rows = [(key, NOON_US + hour * HOUR_US, float(hour)) for key in KEYS for hour in range(50)]
    await store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, statistics(rows))
    with store._instance.using() as (_, writing):
        writing.execute("BEGIN")
        writing.execute("INSERT INTO statistics.sorted_until VALUES ('nothing', 0)")
        assert len(await all_upkeep(store)) == 1
        writing.execute("ROLLBACK")
    assert changes_of(await store.statistics(SITE, KEYS, Level.HOUR, Source.ROLLUP, *EVER)) == rows
    await store.close()
    await store.open()
    assert changes_of(await store.statistics(SITE, KEYS, Level.HOUR, Source.ROLLUP, *EVER)) == rows


SIZES = [Size(0, 30, 100, 129), Size(4, 3, 0, 200), Size(5, 3, 7, 9), Size(9, 1_000, 0, 99_900)]


@pytest.mark.parametrize(
    ("rows", "series", "instant", "expected"),
    [
        (0, -1, -(2**62), (0, 120)),  # twice as far as wanted, since rows may not be spread evenly
        (20, 0, 119, (0, 130)),
        (25, 0, 124, (5, 10)),
        (30, 0, 129, (9, 800)),
        (1_036, 9, 99_900, (9, 99_901)),
    ],
)
def test_a_step_reaches_far_enough(rows: int, series: int, instant: int, expected: tuple[int, int]) -> None:
    assert reach(Walk(SIZES, rows, series, instant), 10) == expected

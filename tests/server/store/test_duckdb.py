"""What is particular to the DuckDB store: its files, its sorting, and what it survives."""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.model.reading import Origin, ReadingSlice
from energy_server.model.statistic import Level, Source, StatisticColumns
from energy_server.store.duckdb import DuckDBSeriesStore, sorting
from energy_server.store.duckdb import statistics as statistics_file
from energy_server.store.duckdb.slices import slices
from tests.server.store.holding import KEYS, OCTOBER, rows_of_step
from tests.server.store.readings import DAY_US, EVER, HOUR_US, NOON_US, SITE, batch, changes_of, rows_of, statistics

ROOT = Path(__file__).parents[3]
NOVEMBER = OCTOBER + 1


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `holding` in a process that is killed, not asked, at the end."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.server.store.holding", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def line(child: asyncio.subprocess.Process) -> str:
    assert child.stdout is not None
    async with asyncio.timeout(20):
        return (await child.stdout.readline()).decode().strip()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DuckDBSeriesStore]:
    opened = DuckDBSeriesStore(tmp_path)
    await opened.open()
    yield opened
    await opened.close()


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


async def test_there_is_one_file_for_each_utc_month(store: DuckDBSeriesStore, tmp_path: Path) -> None:
    await fill(store)
    assert files(tmp_path) == ["2026_10.g1.duckdb", "2026_11.g1.duckdb"]


async def test_sorting_changes_the_file_and_nothing_else(store: DuckDBSeriesStore, tmp_path: Path) -> None:
    rows = await fill(store)
    before, latest = await everything(store), await store.latest(SITE)
    assert await store.sort_month(OCTOBER)
    assert files(tmp_path) == ["2026_10.g2.duckdb", "2026_11.g1.duckdb"]
    assert same(await everything(store), before)
    assert await store.sort_month(NOVEMBER)
    assert await store.sort_month(OCTOBER)
    assert files(tmp_path) == ["2026_10.g3.duckdb", "2026_11.g2.duckdb"]
    await store.close()
    await store.open()
    assert same(await everything(store), before)
    assert {key: rows_of(found) for key, found in before.items()} == rows
    assert await store.latest(SITE) == latest
    await store.append([batch("a", [(NOON_US - 10 * DAY_US, 5.0), (NOON_US + 1, 6.0)])])
    assert rows_of(await store.read(SITE, "a", NOON_US - 10 * DAY_US, NOON_US - 10 * DAY_US + 1)) == [
        (NOON_US - 10 * DAY_US, 5.0)
    ]


async def test_sorting_a_month_without_readings_is_nothing(store: DuckDBSeriesStore) -> None:
    assert await store.sort_month(OCTOBER)


async def test_what_is_appended_while_a_month_is_sorted_is_kept(store: DuckDBSeriesStore) -> None:
    await fill(store)
    copying = asyncio.create_task(store.sort_month(OCTOBER))
    late = [(NOON_US + DAY_US + step, float(step)) for step in range(50)]
    for row in late:
        await store.append([batch("d", [row])])
    await copying
    assert rows_of(await store.read(SITE, "d", *EVER)) == late


async def test_a_row_replaced_meanwhile_abandons_the_sorting(tmp_path: Path, store: DuckDBSeriesStore) -> None:
    rows = await fill(store)
    opened = store._open()
    with opened.connection.cursor() as cursor:
        made = sorting.copy(cursor, opened.months, OCTOBER)
        assert made is not None
        await store.append([batch("a", [(rows["a"][0][0], 777.0)])])
        assert not sorting.finish(cursor, opened.months, made)
    assert files(tmp_path) == ["2026_10.g1.duckdb", "2026_11.g1.duckdb"]
    assert rows_of(await store.read(SITE, "a", *EVER))[0] == (rows["a"][0][0], 777)
    assert await store.sort_month(OCTOBER)
    assert rows_of(await store.read(SITE, "a", *EVER))[0] == (rows["a"][0][0], 777)


async def test_what_an_interrupted_sorting_left_is_deleted_at_opening(store: DuckDBSeriesStore, tmp_path: Path) -> None:
    await fill(store)
    before = await everything(store)
    await store.sort_month(OCTOBER)
    await store.close()
    folder = tmp_path / "readings"
    for name in ("2026_10.g1.duckdb", "2026_10.g1.duckdb.wal", "2026_10.g2.duckdb.building"):
        (folder / name).write_bytes(b"left")
    await store.open()
    assert files(tmp_path) == ["2026_10.g2.duckdb", "2026_11.g1.duckdb"]
    assert same(await everything(store), before)


async def test_a_failed_copy_does_not_stand_in_the_way_of_the_next(store: DuckDBSeriesStore) -> None:
    await fill(store)
    opened = store._open()
    with opened.connection.cursor() as cursor:
        assert sorting.copy(cursor, opened.months, OCTOBER) is not None
    assert await store.sort_month(OCTOBER)


async def test_sorted_statistics_read_the_same(store: DuckDBSeriesStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics_file, "LONGEST_TAIL_ROWS", 10)
    monkeypatch.setattr(statistics_file, "FEW_PERIODS", 0)
    year_us = 1_798_761_600_000_000
    spans = [(year_us - 30 * HOUR_US, year_us + 30 * HOUR_US), (year_us - 3 * HOUR_US, year_us + HOUR_US), EVER]

    async def read() -> list[StatisticColumns]:
        return [await store.statistics(SITE, ["b", "x", "a"], Level.HOUR, Source.ROLLUP, *span) for span in spans]

    async def put(hours: range, plus: float) -> None:
        rows = [(key, year_us + hour * HOUR_US, hour + plus) for hour in hours for key in ("a", "b", "c")]
        await store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, statistics(rows))

    held: dict[int, float] = {}
    for round_, hours in enumerate((range(-20, 10), range(5, 25), range(-25, 3), range(24, 26))):
        await put(hours, round_ / 10)
        held |= {hour: hour + round_ / 10 for hour in hours}
        before = [changes_of(found) for found in await read()]
        await store.sort_statistics()
        assert [changes_of(found) for found in await read()] == before
        assert before[-1] == [(key, year_us + hour * HOUR_US, held[hour]) for key in "ba" for hour in sorted(held)]
    await store.close()
    await store.open()
    assert [changes_of(found) for found in await read()] == before


async def test_another_process_that_has_the_files_is_named_and_outlasted(tmp_path: Path) -> None:
    store = DuckDBSeriesStore(tmp_path)
    async with process("hold", str(tmp_path)) as child:
        assert await line(child) == "open"
        with pytest.raises(StoreUnavailableError, match=r"Another process uses the store in .*Stop it"):
            await store.open()
        with pytest.raises(StoreUnavailableError, match="Another process"):
            await store.append([batch("a", [(NOON_US, 1.0)])])
        info = await store.info()
        assert not info.well
        assert info.detail is not None
        assert "Another process" in info.detail
    await store.append([batch("a", [(NOON_US, 1.0)])])
    assert rows_of(await store.read(SITE, "a", *EVER)) == [(NOON_US, 1)]
    assert (await store.info()).well
    await store.close()


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    store = DuckDBSeriesStore(tmp_path / "file" / "series")
    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        await store.open()
    assert not (await store.info()).well
    await store.close()


async def test_a_file_that_may_not_grow_is_told_and_outlasted(tmp_path: Path) -> None:
    async with process("fill", str(tmp_path)) as child:
        assert "the store in" in (await line(child)).lower()
        assert await line(child) in ("True", "False")
        assert await line(child) == "True", "everything that was stored before and after is there, once"
        await child.wait()
        assert child.returncode == 0


async def test_nothing_acknowledged_is_lost_by_kills_and_nothing_doubled(tmp_path: Path) -> None:
    rng = random.Random(11)  # noqa: S311 - when to kill
    first = 0
    for _ in range(4):
        async with process("write", str(tmp_path), str(first)) as child:
            for _ in range(rng.randrange(10, 40)):
                first = int(await line(child)) + 1
        store = DuckDBSeriesStore(tmp_path)
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
        assert (await store.latest(SITE))["a"].ts_us == (await store.read(SITE, "a", *EVER)).ts_us[-1]
        await store.close()
    assert any(".g1." not in name for name in files(tmp_path)), "sorting was under way too"


async def test_origins_are_stored_as_numbers_of_the_model(store: DuckDBSeriesStore) -> None:
    for at, origin in enumerate(Origin):
        await store.append([batch("a", [(NOON_US + at, 1.0)], origin)])
    assert (await store.read(SITE, "a", *EVER)).origin.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([(3, 5)], [(3, 3)]),
        ([(0, 4), (1, 4), (2, 4)], [(0, 1), (2, 2)]),
        ([(0, 99), (5, 1), (7, 1)], [(0, 0), (5, 7)]),
    ],
)
def test_slices_are_bounded(sizes: list[tuple[int, int]], expected: list[tuple[int, int]]) -> None:
    assert list(slices(sizes, most_rows=10)) == expected


async def test_a_file_that_goes_while_it_is_counted_has_no_size(
    store: DuckDBSeriesStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint removes a log at any moment."""
    (tmp_path / "gone.duckdb.wal").touch()
    stat = Path.stat

    def gone(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.name.startswith("gone"):
            raise FileNotFoundError(path)
        return stat(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", gone)
    assert (await store.info()).size_bytes > 0

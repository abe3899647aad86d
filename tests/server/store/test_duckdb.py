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
from energy_server.model.reading import Origin
from energy_server.model.statistic import Level, Source
from energy_server.store.duckdb import DuckDBSeriesStore
from tests.server.store.holding import EAGER, KEYS, hours_of, rows_of_step
from tests.server.store.readings import DAY_US, EVER, NOON_US, SITE, batch, changes_of, rows_of

ROOT = Path(__file__).parents[3]


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


async def test_there_is_one_file_for_each_utc_month(store: DuckDBSeriesStore, tmp_path: Path) -> None:
    await store.append([batch("a", [(NOON_US, 1.0), (NOON_US + 25 * DAY_US, 2.0)])])
    assert files(tmp_path) == ["2026_10.g1.duckdb", "2026_11.g1.duckdb"]


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
    assert any(".g1." not in name for name in files(tmp_path)), "sorting was under way too"


async def test_origins_are_stored_as_numbers_of_the_model(store: DuckDBSeriesStore) -> None:
    for at, origin in enumerate(Origin):
        await store.append([batch("a", [(NOON_US + at, 1.0)], origin)])
    assert (await store.read(SITE, "a", *EVER)).origin.tolist() == [0, 1, 2]


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

"""What is particular to the DuckDB store: its files, its sorting, and what it survives."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import duckdb
import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.model.reading import Origin
from energy_server.store.duckdb import DuckDBSeriesStore
from tests.server.store.holding import line, process
from tests.server.store.readings import DAY_US, EVER, NOON_US, SITE, batch, rows_of


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


def altered(folder: Path, statement: str) -> None:
    with duckdb.connect(str(folder / "series.duckdb")) as connection:
        connection.execute(statement)


async def test_files_of_a_later_release_are_left_alone(store: DuckDBSeriesStore, tmp_path: Path) -> None:
    await store.append([batch("a", [(NOON_US, 1.0)])])
    await store.close()
    altered(tmp_path, "UPDATE store SET version = 99")
    with pytest.raises(StoreUnavailableError, match=r"later release \(version 99, .*update the server"):
        await store.open()
    info = await store.info()
    assert (info.well, "later release" in str(info.detail)) == (False, True)
    altered(tmp_path, "UPDATE store SET version = 1")
    await store.open()
    assert rows_of(await store.read(SITE, "a", *EVER)) == [(NOON_US, 1)]


async def test_files_that_say_no_version_are_of_the_first(store: DuckDBSeriesStore, tmp_path: Path) -> None:
    store_id = store.store_id
    await store.append([batch("a", [(NOON_US, 1.0)])])
    await store.close()
    altered(tmp_path, "ALTER TABLE store DROP COLUMN version")
    await store.open()
    assert store.store_id == store_id
    assert rows_of(await store.read(SITE, "a", *EVER)) == [(NOON_US, 1)]


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

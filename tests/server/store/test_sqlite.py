"""What is particular to the SQLite store: its schema's history, its locks, what it survives."""

import sqlite3
from pathlib import Path

import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.model.site import Site
from energy_server.store import sqlite
from energy_server.store.port import SyncEntry
from energy_server.store.sqlite import MIGRATIONS, SqliteStateStore


async def opened(path: Path) -> SqliteStateStore:
    store = SqliteStateStore(path)
    await store.open()
    return store


async def test_the_schema_has_a_version(tmp_path: Path) -> None:
    store = await opened(tmp_path / "deep" / "state.sqlite")
    await store.close()
    database = sqlite3.connect(tmp_path / "deep" / "state.sqlite")
    assert database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


async def test_an_older_file_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await opened(tmp_path / "state.sqlite")
    await store.put_document("kept", {"it": "is"})
    await store.close()
    monkeypatch.setattr(sqlite, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE later (id INTEGER) STRICT;"))
    store = await opened(tmp_path / "state.sqlite")
    assert await store.document("kept") == {"it": "is"}
    await store.close()
    database = sqlite3.connect(tmp_path / "state.sqlite")
    assert database.execute("SELECT count(*) FROM later").fetchone() == (0,)
    database.close()


async def test_a_sync_log_of_the_first_schema_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "MIGRATIONS", MIGRATIONS[:1])
        await (await opened(tmp_path / "state.sqlite")).close()
    database = sqlite3.connect(tmp_path / "state.sqlite")
    database.execute("INSERT INTO sync_log (ts_us, site, what, detail) VALUES (1, 'home', 'connected', 'HA')")
    database.commit()
    database.close()
    store = await opened(tmp_path / "state.sqlite")
    assert await store.sync_log(10) == [SyncEntry(1, "home", "connected", "HA")]
    await store.close()


async def test_rows_of_coverage_that_an_older_release_doubled_are_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "MIGRATIONS", MIGRATIONS[:2])
        await (await opened(tmp_path / "state.sqlite")).close()
    database = sqlite3.connect(tmp_path / "state.sqlite")
    for _ in range(2):
        database.execute("INSERT INTO coverage VALUES ('home', NULL, 'live', 1, 2, NULL, 'store')")
        database.execute("INSERT INTO coverage VALUES ('home', 'a', 'none', 1, 2, 'purged', 'store')")
    database.commit()
    database.close()
    store = await opened(tmp_path / "state.sqlite")
    assert len(await store.coverage("store")) == 2
    await store.close()


async def test_a_file_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "state.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.close()
    store = SqliteStateStore(tmp_path / "state.sqlite")
    with pytest.raises(StoreUnavailableError, match="newer release"):
        await store.open()
    await store.close()


async def test_a_lock_of_another_process_is_told_and_outlasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    store = await opened(tmp_path / "state.sqlite")
    other = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailableError, match=r"Another process uses .*Stop it"):
        await store.put_document("a", {})
    other.execute("COMMIT")
    other.close()
    await store.put_document("a", {})
    assert await store.document("a") == {}
    await store.close()


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"something else entirely, but long enough to be looked at" * 20)
    store = SqliteStateStore(tmp_path / "state.sqlite")
    with pytest.raises(StoreUnavailableError, match="no database"):
        await store.open()
    await store.close()


async def test_a_step_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    store = await opened(tmp_path / "state.sqlite")
    with pytest.raises(sqlite3.IntegrityError):
        await store.save_site(Site("home", None, "UTC", None, None, "", ""))  # type: ignore[arg-type]  # a defect
    assert await store.sites() == []
    await store.put_document("a", {})
    assert await store.document("a") == {}
    await store.close()

"""What is QuestDB's own: where it is, a QuestDB that is busy or hangs, suspended tables, who may not come in."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from dev.processes import free_port
from dev.servers import QuestDB
from energy_server.errors import StoreUnavailableError
from energy_server.model.reading import Origin
from energy_server.store.questdb import QuestDBAddress, QuestDBSeriesStore, connection, health
from energy_server.store.questdb import store as adapter
from energy_server.store.questdb.connection import READERS
from energy_server.store.questdb.failures import advice
from energy_server.store.questdb.schema import READINGS, TABLES
from tests.conftest import FIRST_PORT, kept_running
from tests.product.proxy import Proxy
from tests.product.waiting import true
from tests.server.store.questdb_tables import opened
from tests.server.store.readings import DAY_US, EVER, NOON_US, SITE, Row, batch, rows_of

BACKLOG = 200
"""So many days are so many partitions to make, which takes QuestDB a while."""
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
async def store(questdb: QuestDBAddress) -> AsyncIterator[QuestDBSeriesStore]:
    async with opened(questdb) as store:
        yield store


def test_one_url_is_enough() -> None:
    address = QuestDBAddress.of("http://me:p%40ss@db.example:9001")
    assert (address.host, address.http_port, address.user, address.password) == ("db.example", 9001, "me", "p@ss")
    assert (address.pg_host, address.pg_port, address.pg_user, address.pg_password) == (
        "db.example",
        8812,
        "me",
        "p@ss",
    )
    assert (address.database, address.tls, address.pg_tls) == ("qdb", False, False)


def test_without_a_user_it_is_questdbs_own() -> None:
    address = QuestDBAddress.of("https://db.example")
    assert (address.http_port, address.user, address.tls) == (9000, None, True)
    assert (address.pg_user, address.pg_password, address.pg_tls) == ("admin", "quest", True)


def test_both_doors_may_differ() -> None:
    address = QuestDBAddress.of("http://a", "postgresql://u:p@b:1234/mine?sslmode=require")
    assert (address.host, address.pg_host, address.pg_port, address.database, address.pg_tls) == (
        "a",
        "b",
        1234,
        "mine",
        True,
    )


@pytest.mark.parametrize(
    ("url", "pg_url"),
    [
        ("db:9000", None),
        ("ftp://db", None),
        ("http://", None),
        ("http://db:port", None),
        ("http://[1", None),
        ("http://db:70000", None),
        ("http://db", "mysql://db"),
        ("http://db", "http://db"),
    ],
)
def test_what_is_no_url_is_said_without_repeating_it(url: str, pg_url: str | None) -> None:
    with pytest.raises(ValueError, match="questdb_") as caught:
        QuestDBAddress.of(url, pg_url)
    assert "db" not in str(caught.value).replace("questdb_", "")


def test_an_address_shows_no_password() -> None:
    address = QuestDBAddress.of("http://me:secret@db", "postgresql://me:secret@db")
    assert "secret" not in f"{address} {address!r}"


async def test_a_questdb_that_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    store = QuestDBSeriesStore(QuestDBAddress.of(NOWHERE, "postgresql://me:secret@127.0.0.1:1"))
    with pytest.raises(StoreUnavailableError, match="cannot be reached: start it"):
        await store.open()
    info = await store.info()
    assert (info.well, info.backend, info.readings) == (False, "questdb", 0)
    assert "cannot be reached" in str(info.detail)
    with pytest.raises(StoreUnavailableError, match="cannot be reached"):
        await store.append([batch("a", [(NOON_US, 1.0)])])
    assert "secret" not in f"{info} {caplog.text}"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("write error: energy_readings, errno: 28, error: Cannot create WAL segment", "has no space left: free some"),
        ("io.questdb.cairo.CairoException: [28] No space left [size=16777216]", "has no space left: free some"),
        (
            "commit error for table: energy_readings, errno: 30, error: could not msync",
            "has a disk that may only be read",
        ),
        (
            "Could not create table, could not open read-write [file=/data]",
            "could not write: see whether its disk is full",
        ),
        ("bulk update failed and will be rolled back", "could not write: see whether its disk is full"),
        ("table is suspended [tableName=energy_store]", "holds back what was written: see whether its disk is full"),
        ("array index out of range", "cannot be used: array index"),
    ],
)
def test_what_questdb_says_of_its_disk_is_told(said: str, told: str) -> None:
    message = advice(asyncpg.PostgresError(said), QuestDBAddress.of("http://db"))
    assert message.startswith(f"QuestDB at db:9000 {told}")
    assert said in message


async def test_a_questdb_that_is_too_old(questdb: QuestDBAddress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OLDEST_VERSION", (99, 0))
    with pytest.raises(StoreUnavailableError, match=r"too old \(\d+\.\d+\.\d+\): update it to 99.0 or later"):
        await QuestDBSeriesStore(questdb).open()


async def test_a_backlog_is_no_trouble_and_nobody_waits_for_it(store: QuestDBSeriesStore) -> None:
    for written in range(BACKLOG, 6 * BACKLOG, BACKLOG):
        days: list[Row] = [(NOON_US - day * DAY_US, 1.0) for day in range(written - BACKLOG, written)]
        await store.append([batch("a", days, Origin.IMPORT)])
        reading = [asyncio.create_task(store.read(SITE, "a", *EVER)) for _ in range(READERS)]
        await asyncio.sleep(0)
        info = await store.info()
        assert (info.well, info.detail) in [(True, None), (True, adapter.NOT_SYNCHRONOUS)]
        for found in await asyncio.gather(*reading):
            assert len(found) == written
        if info.lag_rows > 0 and info.readings < written:
            break  # else QuestDB was done before it was looked at
    else:
        pytest.fail("nothing was ever seen of a backlog")

    async def is_over() -> bool:
        return (await store.info()).lag_rows == 0

    await true(is_over, "what shows to be no backlog any more")
    info = await store.info()
    assert (info.well, info.lag_rows, info.readings) == (True, 0, written)


async def test_a_questdb_that_hangs_is_told_within_the_limit(
    questdb: QuestDBAddress, store: QuestDBSeriesStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "INFO_WITHIN_S", 0.2)
    await store.append([batch("a", [(NOON_US, 1.0)])])
    assert rows_of(await store.read(SITE, "a", *EVER)) == [(NOON_US, 1)]
    proxy = Proxy(questdb.pg_port)
    async with proxy.listening():
        behind = QuestDBSeriesStore(replace(questdb, pg_host="127.0.0.1", pg_port=proxy.port))
        await behind.open()
        async with proxy.halve():
            for _ in range(2):
                async with asyncio.timeout(connection.ANSWER_WITHIN_S):
                    info = await behind.info()
                assert (info.well, info.readings) == (False, 1)
                assert "does not answer: see whether it hangs" in str(info.detail)
        monkeypatch.setattr(adapter, "INFO_WITHIN_S", 40.0)  # twice as long as an answer may take
        await behind.info()  # the look that hung
        assert (await behind.info()).well
        await behind.close()


class Guarded(QuestDB):
    """A QuestDB that asks for a password and lets tables be suspended."""

    async def answers(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/exec") as answer:
                return answer.status == 401
        except aiohttp.ClientError:
            return False


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuestDB]:
    port = free_port(FIRST_PORT + 100)
    folder: Path = tmp_path_factory.mktemp("guarded")
    settings = {"QDB_DEV_MODE_ENABLED": "true", "QDB_HTTP_USER": "me", "QDB_HTTP_PASSWORD": "s:e;c@r&t"}
    server = Guarded(folder, port, free_port(port + 1), settings, "pg-me", "pg-secret")
    with kept_running(server):
        yield server


def address_of(server: QuestDB, user: str = "me:s%3Ae%3Bc%40r%26t", pg_user: str = "pg-me:pg-secret") -> QuestDBAddress:
    return QuestDBAddress.of(
        f"http://{user}@127.0.0.1:{server.http_port}", f"postgresql://{pg_user}@127.0.0.1:{server.pg_port}"
    )


@pytest.mark.parametrize(
    ("user", "pg_user"), [("me:guess", "pg-me:pg-secret"), ("me:s%3Ae%3Bc%40r%26t", "pg-me:guess")]
)
async def test_wrong_passwords(guarded: QuestDB, caplog: pytest.LogCaptureFixture, user: str, pg_user: str) -> None:
    caplog.set_level(logging.DEBUG)
    store = QuestDBSeriesStore(address_of(guarded, user, pg_user))
    with pytest.raises(StoreUnavailableError, match="refuses our user or password") as caught:
        await store.open()
    assert "refuses our user or password" in str((await store.info()).detail)
    assert "guess" not in f"{caught.value} {caplog.text}"


async def test_a_suspended_table_is_shown_and_resumed(guarded: QuestDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "RESUME_EVERY_S", 3_600.0)
    operator = connection.Connections(address_of(guarded))
    await operator.open()
    store = QuestDBSeriesStore(address_of(guarded))
    await store.open()
    await store.append([batch("a", [(NOON_US, 1.0)])])
    assert rows_of(await store.read(SITE, "a", *EVER)) == [(NOON_US, 1)]
    assert await store.upkeep() is None

    await operator.fetch(f"ALTER TABLE {READINGS} SUSPEND WAL WITH 28, 'No space left'")
    await store.append([batch("a", [(NOON_US + 1, 2.0)])])  # it takes rows, and shows none
    with pytest.raises(StoreUnavailableError, match="holds back what was written"):
        await store.read(SITE, "a", *EVER)
    with pytest.raises(StoreUnavailableError, match=f"suspended its table {READINGS}, as it has no space left"):
        await store.append([batch("a", [(NOON_US + 2, 3.0)])])
    info = await store.info()
    assert (info.well, info.lag_rows) == (False, 1)
    assert "No space left" in str(info.detail)

    assert await store.upkeep() == f"QuestDB had suspended {READINGS} (No space left): resumed"
    await store.append([batch("a", [(NOON_US + 2, 3.0)])])
    assert rows_of(await store.read(SITE, "a", *EVER)) == [(NOON_US, 1), (NOON_US + 1, 2), (NOON_US + 2, 3)]
    assert (await store.info()).well
    await store.close()
    await operator.close()


async def test_a_suspended_table_is_resumed_by_who_writes(guarded: QuestDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "RESUME_EVERY_S", 0.0)
    operator = connection.Connections(address_of(guarded))
    await operator.open()
    store = QuestDBSeriesStore(address_of(guarded))
    await store.open()
    await operator.fetch(f"ALTER TABLE {READINGS} SUSPEND WAL")
    assert "see whether its disk is full" in str((await store.info()).detail).lower()
    await store.append([batch("b", [(NOON_US, 1.0)])])
    assert rows_of(await store.read(SITE, "b", *EVER)) == [(NOON_US, 1)]
    assert await store.upkeep() == f"QuestDB had suspended {READINGS} (no reason given): resumed"
    assert await store.upkeep() is None
    await store.close()
    await operator.close()


async def test_a_store_is_opened_though_its_tables_are_suspended(guarded: QuestDB) -> None:
    operator = connection.Connections(address_of(guarded))
    await operator.open()
    store = QuestDBSeriesStore(address_of(guarded))
    await store.open()
    for table in TABLES:
        await operator.fetch(f"ALTER TABLE {table} SUSPEND WAL")
    await store.close()
    await store.open()
    await store.append([batch("c", [(NOON_US, 1.0)])])
    assert rows_of(await store.read(SITE, "c", *EVER)) == [(NOON_US, 1)]
    assert "QuestDB had suspended" in str(await store.upkeep())
    await store.close()
    await operator.close()

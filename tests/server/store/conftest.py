"""Every adapter of the two ports; the contract suites run on each of them."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from energy_server.store.duckdb import DuckDBSeriesStore
from energy_server.store.mongodb import MongoStateStore
from energy_server.store.port import SeriesStore, StateStore
from energy_server.store.questdb import QuestDBAddress, QuestDBSeriesStore
from energy_server.store.sqlite import SqliteStateStore
from tests.conftest import QuestDBAddress as Urls
from tests.server.store.questdb_tables import drop_tables

type Make[Store: (SeriesStore, StateStore)] = Callable[[Path], Store]
"""Makes a store on a folder: another one on the same folder has the same data."""

STATES = ("sqlite", "mongodb", "mongodb-replica-set")


@dataclass
class Opened[Store: (SeriesStore, StateStore)]:
    """A store that is open, and how to make another one on the same data."""

    store: Store
    make: Callable[[], Store]

    async def reopened(self) -> Store:
        await self.store.close()
        self.store = self.make()
        await self.store.open()
        return self.store


@pytest.fixture
def seed() -> int:
    """What is random about a test; it says which one it was."""
    return int(os.environ.get("ENERGY_FAULT_SEED") or SystemRandom().randrange(10**6))


@pytest.fixture(scope="session")
def on_duckdb() -> Make[SeriesStore]:
    return lambda folder: DuckDBSeriesStore(folder / "series")


@pytest.fixture(scope="session")
def questdb(questdb_address: Urls) -> QuestDBAddress:
    return QuestDBAddress.of(questdb_address.url, questdb_address.pg_url)


@pytest.fixture(scope="session")
def on_questdb(questdb: QuestDBAddress) -> Make[SeriesStore]:
    """Return what makes stores on the one QuestDB there is: an empty one for a folder that is new."""

    def make(folder: Path) -> SeriesStore:
        mark = folder / "questdb"
        if not mark.exists():
            drop_tables(questdb)
            mark.touch()
        return QuestDBSeriesStore(questdb)

    return make


@pytest.fixture(scope="session", params=["on_duckdb", "on_questdb"], ids=["duckdb", "questdb"])
def make_series(request: pytest.FixtureRequest) -> Make[SeriesStore]:
    made: Make[SeriesStore] = request.getfixturevalue(request.param)
    return made


@pytest.fixture(scope="session")
def make_again(make_series: Make[SeriesStore], tmp_path_factory: pytest.TempPathFactory) -> Callable[[], SeriesStore]:
    """Return what makes a store on the same data each time, for tests that tell their own by its Site."""
    folder = tmp_path_factory.mktemp("series")
    return lambda: make_series(folder)


@pytest.fixture
async def opened_series(make_series: Make[SeriesStore], tmp_path: Path) -> AsyncIterator[Opened[SeriesStore]]:
    def make() -> SeriesStore:
        return make_series(tmp_path)

    opened = Opened[Any](make(), make)
    await opened.store.open()
    yield opened
    await opened.store.close()


@pytest.fixture
def series_store(opened_series: Opened[SeriesStore]) -> SeriesStore:
    return opened_series.store


@pytest.fixture
async def new_mongodb() -> AsyncIterator[Callable[[str], SecretStr]]:
    """Return a function that gives the address of a new database on a server; all are dropped at the end."""
    made: list[str] = []

    def new(server: str) -> SecretStr:
        made.append(urlsplit(server)._replace(path=f"/test_{uuid.uuid4().hex}").geturl())
        return SecretStr(made[-1])

    yield new
    for url in made:
        await asyncio.to_thread(_drop_database, url)


def _drop_database(url: str) -> None:
    with MongoClient[dict[str, object]](url) as client:
        client.drop_database(client.get_default_database().name)


@pytest.fixture(params=STATES)
async def opened_state(
    request: pytest.FixtureRequest, tmp_path: Path, new_mongodb: Callable[[str], SecretStr]
) -> AsyncIterator[Opened[StateStore]]:
    make: Callable[[], StateStore] = partial(SqliteStateStore, tmp_path / "state.sqlite")
    if request.param != "sqlite":
        server = request.getfixturevalue(f"{request.param.replace('-', '_')}_url")
        make = partial(MongoStateStore, new_mongodb(server))
    opened = Opened[Any](make(), make)
    await opened.store.open()
    yield opened
    await opened.store.close()


@pytest.fixture
def state_store(opened_state: Opened[StateStore]) -> StateStore:
    return opened_state.store

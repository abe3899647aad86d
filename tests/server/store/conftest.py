"""Every adapter of the two ports; the contract suites run on each of them."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from energy_server.store.duckdb import DuckDBSeriesStore
from energy_server.store.port import SeriesStore, StateStore
from energy_server.store.sqlite import SqliteStateStore

SERIES: dict[str, Callable[[Path], SeriesStore]] = {"duckdb": lambda folder: DuckDBSeriesStore(folder / "series")}
STATES: dict[str, Callable[[Path], StateStore]] = {"sqlite": lambda folder: SqliteStateStore(folder / "state.sqlite")}


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


@pytest.fixture(params=SERIES)
async def opened_series(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened[SeriesStore]]:
    def make() -> SeriesStore:
        return SERIES[request.param](tmp_path)

    opened = Opened[Any](make(), make)
    await opened.store.open()
    yield opened
    await opened.store.close()


@pytest.fixture
def series_store(opened_series: Opened[SeriesStore]) -> SeriesStore:
    return opened_series.store


@pytest.fixture(params=STATES)
async def opened_state(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened[StateStore]]:
    def make() -> StateStore:
        return STATES[request.param](tmp_path)

    opened = Opened[Any](make(), make)
    await opened.store.open()
    yield opened
    await opened.store.close()


@pytest.fixture
def state_store(opened_state: Opened[StateStore]) -> StateStore:
    return opened_state.store

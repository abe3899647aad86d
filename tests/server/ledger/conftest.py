"""A real StateStore for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from energy_server.store.port import StateStore
from energy_server.store.sqlite import SqliteStateStore


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[StateStore]:
    store = SqliteStateStore(tmp_path / "state.sqlite")
    await store.open()
    yield store
    await store.close()

"""The upkeep of a store is done until nothing is due, told, and done again after a while."""

import asyncio
from pathlib import Path

import pytest

from energy_server.jobs.upkeep import INTERVAL_S, keep_in_order
from energy_server.model.reading import Origin, ReadingBatch
from energy_server.model.site import Site
from energy_server.store.duckdb import DuckDBSeriesStore, Thresholds
from energy_server.store.sqlite import SqliteStateStore

JANUARY_US = 1_767_225_600_000_000
MONTH_US = 31 * 86_400_000_000


async def test_everything_that_is_due_is_done_and_told(tmp_path: Path) -> None:
    series = DuckDBSeriesStore(tmp_path / "series", thresholds=Thresholds(settled_s=0, pause_share=0))
    state = SqliteStateStore(tmp_path / "state.sqlite")
    await series.open()
    await state.open()
    await state.save_site(Site("home", "Home", "Europe/Berlin", "EUR", "DE", "2026.10.4", "1.0.0"))
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            raise asyncio.CancelledError
        month_us = JANUARY_US + len(waited) * MONTH_US
        await series.append(
            [ReadingBatch("home", Origin.LIVE, ["a"] * 2, [JANUARY_US, month_us], [1.0, 2.0], [None] * 2)]
        )

    with pytest.raises(asyncio.CancelledError):
        await keep_in_order(series, state, lambda: 42, sleep)
    assert waited == [INTERVAL_S] * 3
    told = [
        (entry.ts_us, entry.site, entry.what, entry.detail.partition(" in ")[0]) for entry in await state.sync_log(10)
    ]
    assert sorted(told) == [(42, "home", "upkeep", f"Sorted the readings of 2026-0{n}") for n in (1, 2, 3)]
    await series.close()
    await state.close()

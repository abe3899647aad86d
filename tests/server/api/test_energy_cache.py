"""The cache of energy: whatever changed in whatever order, its answer is the one without a cache, bit for bit."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from energy_server.api.energy_cache import EnergyCache
from energy_server.energy.cells import Cells
from energy_server.energy.layout import QUARTER_US, UNITS_US, touched
from energy_server.energy.meters import meters
from energy_server.energy.periods import Resolution, edges
from energy_server.model.statistic import (
    FIVE_MINUTES_US,
    HOUR_US,
    Level,
    StatisticColumns,
)
from energy_server.store.duckdb import DuckDBSeriesStore
from tests.server.api.random_homes import FIRST_US, HOURS, RandomHome
from tests.server.homes import DAY_US

COLUMNS = ("start_us", "flows", "heard", "change", "known", "worst", "greatest")
LENGTHS = (DAY_US, DAY_US, HOUR_US, HOUR_US, QUARTER_US, FIVE_MINUTES_US)
ALL = (FIRST_US, FIRST_US + HOURS * HOUR_US)


@pytest.fixture
async def series(tmp_path: Path) -> AsyncIterator[DuckDBSeriesStore]:
    store = DuckDBSeriesStore(tmp_path)
    await store.open()
    yield store
    await store.close()


def home_of(series: DuckDBSeriesStore, seed: int, *caches: EnergyCache) -> RandomHome:
    chance = random.Random(seed)  # noqa: S311 not for secrets
    return RandomHome(series, [cache.changed for cache in caches], chance)


async def cells(cache: EnergyCache, home: RandomHome, span: tuple[int, int], cell_us: int) -> Cells:
    """Return the cells of the units that the span touches."""
    return await cache.cells("home", meters(home.entities), cell_us, touched(*span, UNITS_US[cell_us]))


def same(one: Cells, other: Cells) -> None:
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column), err_msg=column)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most_bytes", [10_000_000, 20_000])
async def test_any_order_of_changes_and_questions(series: DuckDBSeriesStore, seed: int, most_bytes: int) -> None:
    """Most of what is asked is in the cache; the smaller one has no room for all of it."""
    cache = EnergyCache(series, most_bytes)
    home = home_of(series, seed, cache)
    await home.fill()
    for _ in range(15):
        for _ in range(home.chance.choice((0, 2, 6))):
            await home.happen()
        span, cell_us = home.span(), home.chance.choice(LENGTHS)
        same(await cells(cache, home, span, cell_us), await cells(EnergyCache(series), home, span, cell_us))
        assert cache.size_bytes <= most_bytes


class Interrupted(DuckDBSeriesStore):
    """A store in which something changes after what was read, and before it is answered with."""

    home: RandomHome | None = None

    async def statistics(self, *of: Any, **named: Any) -> StatisticColumns:
        """Read, then let things happen."""
        found = await super().statistics(*of, **named)
        if Level.FIVE_MINUTES in of and self.home is not None:
            home, self.home = self.home, None
            for _ in range(10):
                await home.roll()
        return found


@pytest.mark.parametrize("seed", range(3))
async def test_what_changes_while_it_is_read_is_not_kept(tmp_path: Path, seed: int) -> None:
    series = Interrupted(tmp_path)
    await series.open()
    cache = EnergyCache(series)
    home = home_of(series, seed, cache)
    await home.fill()
    series.home = home
    # A stretch that reaches the end of a span is read again, with what follows: there must be nothing there.
    wide = (ALL[0] - DAY_US, ALL[1] + DAY_US)
    await asyncio.gather(*(cells(cache, home, wide, cell_us) for cell_us in (DAY_US, HOUR_US)))
    for cell_us in (DAY_US, HOUR_US):
        same(await cells(cache, home, ALL, cell_us), await cells(EnergyCache(series), home, ALL, cell_us))
    await series.close()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cell_us", list(UNITS_US))
async def test_a_cell_is_the_same_whatever_span_was_asked_for(
    series: DuckDBSeriesStore, seed: int, cell_us: int
) -> None:
    home = home_of(series, seed)
    await home.fill()
    whole = await cells(EnergyCache(series), home, ALL, cell_us)
    for _ in range(8):
        span = home.span()
        units = touched(*span, UNITS_US[cell_us])
        same(await cells(EnergyCache(series), home, span, cell_us), whole.of(units, UNITS_US[cell_us]))


async def test_the_memory_of_a_long_past_without_statistics(series: DuckDBSeriesStore) -> None:
    """130 years can be asked for; what nothing is known of takes next to nothing."""
    cache = EnergyCache(series)
    home = home_of(series, 1, cache)
    await home.fill()
    hours = await cells(cache, home, (0, 4_102_444_800_000_000), HOUR_US)
    days = await cells(cache, home, (0, 4_102_444_800_000_000), DAY_US)
    assert (len(hours), len(days)) == (HOURS, HOURS // 24)
    assert cache.size_bytes < 131 * 366 * 25 + (hours.size_bytes + days.size_bytes) * 2


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"])
@pytest.mark.parametrize("most_bytes", [10_000_000, 20_000])
async def test_sums_are_the_same_with_what_is_kept_in_any_zone(
    series: DuckDBSeriesStore, zone: str, most_bytes: int
) -> None:
    cache = EnergyCache(series, most_bytes)
    home = home_of(series, 5, cache)
    await home.fill()
    for _ in range(12):
        for _ in range(home.chance.choice((0, 0, 3))):
            await home.happen()
        used, resolution = meters(home.entities), home.chance.choice(list(Resolution))
        edges_us = edges(*home.span(), resolution, ZoneInfo(zone))
        sums, days = await cache.sums("home", used, edges_us, DAY_US)
        wanted, wanted_days = await EnergyCache(series).sums("home", used, edges_us, DAY_US)
        for column in ("flows", "heard", "change", "known", "worst"):
            np.testing.assert_array_equal(getattr(sums, column), getattr(wanted, column), err_msg=column)
        np.testing.assert_array_equal(days.day, wanted_days.day)
        np.testing.assert_array_equal(days.greatest, wanted_days.greatest)
        assert cache.size_bytes <= most_bytes


class Counting(DuckDBSeriesStore):
    """A store that counts what it is asked for."""

    reads = 0

    async def statistics(self, *of: Any, **named: Any) -> StatisticColumns:
        """Count, and read."""
        self.reads += 1
        return await super().statistics(*of, **named)


async def test_what_changes_no_cell_is_no_reason_to_read(tmp_path: Path) -> None:
    """Another name, another device that includes it, the same question: nothing is read again."""
    series = Counting(tmp_path)
    await series.open()
    cache = EnergyCache(series)
    home = home_of(series, 3, cache)
    await home.fill()
    edges_us = edges(*ALL, Resolution.WEEK, ZoneInfo("Asia/Kathmandu"))
    before, _ = await cache.sums("home", meters(home.entities), edges_us, DAY_US)
    reads = series.reads
    home.entities = [
        one.__replace__(
            name=f"New {one.name}", roles=tuple(role.__replace__(name="Car", parent="car") for role in one.roles)
        )
        for one in home.entities
    ]
    after, _ = await cache.sums("home", meters(home.entities), edges_us, DAY_US)
    assert series.reads == reads
    np.testing.assert_array_equal(before.change, after.change)
    home.entities = home.entities[:-1]
    await cache.sums("home", meters(home.entities), edges_us, DAY_US)
    assert series.reads > reads
    await series.close()

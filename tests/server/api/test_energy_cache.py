"""The cache of energy: whatever changed in whatever order, its answer is the one without a cache, bit for bit."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from energy_server.api.energy_cache import CHUNK_HOURS, EnergyCache
from energy_server.energy.cells import QUARTER_US, Cells
from energy_server.energy.meters import meters
from energy_server.model.statistic import (
    FIVE_MINUTES_US,
    HOUR_US,
    VALUE_COLUMNS,
    Level,
    Source,
    StatisticColumns,
)
from energy_server.store.duckdb import DuckDBSeriesStore
from tests.server.api.random_homes import FIRST_US, HOURS, RandomHome
from tests.server.homes import DAY_US

COLUMNS = ("start_us", "flows", "heard", "change", "known", "worst")
LENGTHS = (HOUR_US, HOUR_US, QUARTER_US, FIVE_MINUTES_US)
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
        span, cell_us, used = home.span(), home.chance.choice(LENGTHS), meters(home.entities)
        same(
            await cache.cells("home", used, *span, cell_us),
            await EnergyCache(series).cells("home", used, *span, cell_us),
        )
        assert cache.size_bytes <= most_bytes


class Interrupted(DuckDBSeriesStore):
    """A store in which something changes after what was read, and before it is answered with."""

    home: RandomHome | None = None

    async def statistics(
        self,
        site: str,
        keys: Sequence[str],
        level: Level,
        source: Source,
        start_us: int,
        end_us: int,
        columns: Sequence[str] = VALUE_COLUMNS,
    ) -> StatisticColumns:
        """Read, then let things happen."""
        found = await super().statistics(site, keys, level, source, start_us, end_us, columns)
        if level is Level.FIVE_MINUTES and self.home is not None:
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
    used = meters(home.entities)
    series.home = home
    # A stretch that reaches the end of a span is read again, with what follows: there must be nothing there.
    wide = (ALL[0] - DAY_US, ALL[1] + DAY_US)
    await asyncio.gather(*(cache.cells("home", used, *wide, HOUR_US) for _ in range(2)))
    same(
        await cache.cells("home", used, *ALL, HOUR_US),
        await EnergyCache(series).cells("home", used, *ALL, HOUR_US),
    )
    await series.close()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cell_us", [HOUR_US, QUARTER_US, FIVE_MINUTES_US])
async def test_a_cell_is_the_same_whatever_span_was_asked_for(
    series: DuckDBSeriesStore, seed: int, cell_us: int
) -> None:
    home = home_of(series, seed)
    await home.fill()
    used = meters(home.entities)
    whole = await EnergyCache(series).cells("home", used, *ALL, cell_us)
    for _ in range(8):
        span = home.span()
        same(await EnergyCache(series).cells("home", used, *span, cell_us), whole.within(*span))


async def test_the_memory_of_a_long_past_without_statistics(series: DuckDBSeriesStore) -> None:
    """130 years can be asked for; what nothing is known of takes next to nothing."""
    cache = EnergyCache(series)
    home = home_of(series, 1, cache)
    await home.fill()
    used = meters(home.entities)
    found = await cache.cells("home", used, 0, 4_102_444_800_000_000, HOUR_US)
    assert len(found) == HOURS
    assert cache.size_bytes < 130 * 366 * 24 + CHUNK_HOURS + found.size_bytes * 2

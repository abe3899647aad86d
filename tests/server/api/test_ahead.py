"""After a start the last year is struck: who asks for it then waits for no store."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from energy_server.api.ahead import strike_ahead
from energy_server.api.core import Core
from energy_server.api.energy_cache import EnergyCache
from energy_server.energy.meters import meters as meters_of
from energy_server.energy.periods import DAY_US, Resolution, edges, to_us
from energy_server.model.statistic import Level, Source
from tests.server.api.test_energy_cache import Counting
from tests.server.homes import meters, roll, settle, site
from tests.server.serving import Running

NOW_US = to_us(datetime(2026, 11, 21, 12, tzinfo=UTC))


class Rests:
    """Waits that do not last, and how long each was to be."""

    def __init__(self) -> None:
        self.s: list[float] = []

    async def __call__(self, wait_s: float) -> None:
        """Remember it."""
        self.s.append(wait_s)


@pytest.fixture
async def counting(tmp_path: Path) -> AsyncIterator[Counting]:
    store = Counting(tmp_path / "counting")
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def core(server: Running, counting: Counting) -> Core:
    return replace(server.core, series=counting, energy=EnergyCache(counting), clock_us=lambda: NOW_US)


async def test_the_year_is_known_before_it_is_asked_for(core: Core, counting: Counting) -> None:
    entities, zone, rests = meters(devices=1), ZoneInfo(site().time_zone), Rests()
    await settle(core, entities)
    for entity in entities:
        changes = [0.12] * 24 * 60
        await roll(core, entity.key, Level.HOUR, changes, start_us=NOW_US - 60 * DAY_US, source=Source.IMPORT)
    await strike_ahead(core, rests)
    assert 52 <= len(rests.s) <= 62  # weeks of a year, and some parts of the time before, of which nothing is known
    assert min(rests.s) > 0
    reads = counting.reads
    for days, resolution in ((7, Resolution.HOUR), (30, Resolution.DAY), (350, Resolution.WEEK), (350, Resolution.DAY)):
        _, midnight_us = edges(NOW_US, NOW_US + DAY_US, Resolution.DAY, zone)[:2]
        edges_us = edges(int(midnight_us) - days * DAY_US, int(midnight_us), resolution, zone)
        sums, _ = await core.energy.sums("home", meters_of(entities), edges_us, 0)
        assert sums.known.any()
    assert counting.reads == reads


async def test_years_before_are_known_by_months(core: Core, counting: Counting) -> None:
    entities, zone = meters(devices=1), ZoneInfo(site().time_zone)
    await settle(core, entities)
    for entity in entities:
        changes = [0.12] * 24 * 365 * 4
        await roll(core, entity.key, Level.HOUR, changes, start_us=NOW_US - 4 * 365 * DAY_US, source=Source.IMPORT)
    await strike_ahead(core, Rests())
    reads = counting.reads
    first_us, end_us = (to_us(datetime(year, 1, 1, tzinfo=zone)) for year in (2022, 2026))
    sums, _ = await core.energy.sums("home", meters_of(entities), edges(first_us, end_us, Resolution.MONTH, zone), 0)
    assert (sums.known[:, -36:] > 0).all()
    assert counting.reads == reads


async def test_without_a_home_there_is_nothing_to_strike(core: Core, counting: Counting) -> None:
    rests = Rests()
    await strike_ahead(core, rests)
    assert (rests.s, counting.reads) == ([], 0)


async def test_a_home_without_meters_costs_nothing_to_speak_of(core: Core) -> None:
    await settle(core, [])
    await strike_ahead(core, Rests())
    assert core.energy.size_bytes < 30_000

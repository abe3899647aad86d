"""QuestDB is killed at random moments while it takes readings: none that it acknowledged is lost, none comes twice.

The store is the one of the server, and goes on by itself: nobody opens it again.
"""

import asyncio
import os
import random
from pathlib import Path

import pytest

from dev.processes import free_port
from dev.servers import QuestDB, Running, start
from energy_server.errors import StoreUnavailableError
from energy_server.model.reading import Origin
from energy_server.model.statistic import Level, Source, StatisticColumns
from energy_server.store.questdb import QuestDBAddress, QuestDBSeriesStore
from tests.conftest import FIRST_PORT
from tests.product.saying import say
from tests.server.store.readings import DAY_US, EVER, NOON_US, SECOND_US, SITE, batch, changes_of, rows_of, statistics

KILLS, SOAK_KILLS = 5, 50
LONGEST_LIFE_S = 3.0
BACK_WITHIN_S = 60.0
TRY_AGAIN_S = 0.05
KEYS = ("a", "b", "c")
SYNCHRONOUS = {"QDB_CAIRO_COMMIT_MODE": "sync"}

pytestmark = pytest.mark.timeout(1_800)


class Load:
    """Writes step after step, each until it is acknowledged, as the link does."""

    def __init__(self, store: QuestDBSeriesStore) -> None:
        self._store = store
        self._acknowledged = asyncio.Condition()
        self.steps = 0
        self.refused = 0
        self.ending = False

    async def run(self) -> None:
        while not self.ending:
            await self._until_acknowledged(self.steps)
            async with self._acknowledged:
                self.steps += 1
                self._acknowledged.notify_all()

    async def further(self) -> None:
        """Return when something is acknowledged that was not when this was called."""
        known = self.steps
        async with self._acknowledged, asyncio.timeout(BACK_WITHIN_S):
            await self._acknowledged.wait_for(lambda: self.steps > known + 1)

    async def _until_acknowledged(self, step: int) -> None:
        live = [batch(key, rows_of_step(step)) for key in KEYS]
        again = batch("a", rows_of_step(max(0, step - 3)), Origin.RECORDER)
        late = batch("late", rows_of_step(step), Origin.IMPORT)
        while True:
            try:
                await self._store.append([*live, again, late])
                await self._store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, hour_of_step(step))
                await self._store.before(SITE, "late", NOON_US + step)
            except StoreUnavailableError:
                self.refused += 1
                await asyncio.sleep(TRY_AGAIN_S)
                continue
            return


def rows_of_step(step: int) -> list[tuple[int, float | None]]:
    """Return readings of several partitions, some between older ones; every seventh step is an unavailability."""
    value = None if step % 7 == 0 else float(step)
    return [(NOON_US + ahead + step * SECOND_US, value) for ahead in (-DAY_US, 0, 25 * DAY_US)]


def hour_of_step(step: int) -> StatisticColumns:
    return statistics([("a", NOON_US + step % 50 * 3_600 * SECOND_US, float(step))])


async def kill_and_start_again(server: QuestDB, running: Running) -> Running:
    await running.kill()
    return await start(server)


async def test_killed_under_load(tmp_path: Path) -> None:
    rng = random.Random(seed := random.randrange(1_000_000))  # noqa: S311 moments
    say(f"seed {seed}")
    port = free_port(FIRST_PORT + 200)
    server = QuestDB(tmp_path, port, free_port(port + 1), SYNCHRONOUS)
    running = await start(server)
    store = QuestDBSeriesStore(QuestDBAddress.of(server.url, server.pg_url))
    await store.open()
    load = Load(store)
    writing = asyncio.create_task(load.run())
    kills = SOAK_KILLS if os.environ.get("ENERGY_SOAK") else KILLS
    for _ in range(kills):
        await load.further()
        await asyncio.sleep(rng.uniform(0, LONGEST_LIFE_S))
        running = await kill_and_start_again(server, running)
    await load.further()
    load.ending = True
    await writing
    say(f"{load.steps} steps acknowledged, {load.refused} tried again, {kills} kills")
    await nothing_lost_or_doubled(store, load.steps)
    await store.close()
    await store.open()
    await nothing_lost_or_doubled(store, load.steps)
    await store.close()
    await running.stop()


async def nothing_lost_or_doubled(store: QuestDBSeriesStore, steps: int) -> None:
    expected = sorted(row for step in range(steps) for row in rows_of_step(step))
    for key in (*KEYS, "late"):
        assert rows_of(await store.read(SITE, key, *EVER)) == expected
    info = await store.info()
    assert info.well
    assert info.readings == len(expected) * (len(KEYS) + 1)
    last = {changes_of(hour_of_step(step))[0] for step in range(max(0, steps - 50), steps)}
    assert set(changes_of(await store.statistics(SITE, ["a"], Level.HOUR, Source.ROLLUP, *EVER))) == last

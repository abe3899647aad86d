"""Whatever goes wrong, in whatever order: in the end all that Home Assistant has is stored, exactly.

The order is random. Its seed is printed; ENERGY_FAULT_SEED repeats it, ENERGY_SOAK makes it long.
"""

import os
from asyncio import sleep
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random, SystemRandom

import pytest

from dev.processes import free_port
from dev.provision import INTEGRATION
from dev.servers import MongoDB, QuestDB, Running, start
from tests.conftest import FIRST_PORT
from tests.faults.disturbances import DISTURBANCES, OF_DATABASES, PAUSES, Disturbance, Scene
from tests.product.busy import BusyHome
from tests.product.load import stored_twice
from tests.product.proxy import Proxy
from tests.product.running import homing, serving
from tests.product.saying import say
from tests.product.verifying import now_us, settled, verified

ROUNDS, SOAK_ROUNDS = 10, 200
LONGEST_S = 5.0
MINUTES_S = (60.0, 180.0)
"""So long is each fourth pause in the long form."""
BETWEEN_S = 4.0

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(7200, func_only=True)]


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("ENERGY_FAULT_SEED") or SystemRandom().randrange(10**6))


@asynccontextmanager
async def product(folder: Path, settings: Mapping[str, str]) -> AsyncIterator[Scene]:
    """Run a home and a server that know each other only through a network that can be spoiled."""
    async with serving(folder, folder, settings=settings) as server:
        network = Proxy(server.port)
        async with network.listening(), homing(folder) as home:
            await home.connection.flow(INTEGRATION, {"url": network.url, "token": server.token})
            await server.connected()
            yield Scene(home, server, network)


@asynccontextmanager
async def product_on_databases(folder: Path) -> AsyncIterator[Scene]:
    """Run it on a QuestDB and a mongod of its own."""
    first = free_port(FIRST_PORT + 20)
    questdb = QuestDB(folder / "questdb", first, free_port(first + 1))
    mongod = MongoDB(folder / "mongodb", free_port(first + 5))
    async with AsyncExitStack() as stack:
        running = {}
        for database in (questdb, mongod):
            running[database.name] = await start(database)
        stack.push_async_callback(_stop_all, running)
        settings = {
            "ENERGY_STORAGE": "questdb",
            "ENERGY_QUESTDB_URL": questdb.url,
            "ENERGY_QUESTDB_PG_URL": questdb.pg_url,
            "ENERGY_MONGODB_URL": mongod.url,
        }
        scene = await stack.enter_async_context(product(folder, settings))
        yield Scene(scene.home, scene.server, scene.network, (questdb, mongod), running)


async def _stop_all(running: Mapping[str, Running]) -> None:
    for process in running.values():
        await process.stop()


def _order(random: Random, kinds: Mapping[str, Disturbance], rounds: int) -> Iterator[str]:
    """Yield each kind once, in a random order, before any comes again."""
    names = [name for _ in range(0, rounds, len(kinds)) for name in random.sample(sorted(kinds), len(kinds))]
    yield from names[:rounds]


def _length_s(random: Random, name: str, *, soak: bool) -> float:
    """Return how long a disturbance lasts: what is paused may be forgotten for minutes."""
    if soak and name in PAUSES and random.randrange(4) == 0:
        return random.uniform(*MINUTES_S)
    return random.uniform(0.5, LONGEST_S)


async def suffer(scene: Scene, kinds: Mapping[str, Disturbance], seed: int) -> None:
    """Disturb a busy home, wait until nothing is open, and prove that nothing is missing."""
    random = Random(seed)  # noqa: S311 chooses what fails next
    soak = bool(os.environ.get("ENERGY_SOAK"))
    rounds = SOAK_ROUNDS if soak else max(ROUNDS, len(kinds))
    done: Counter[str] = Counter()
    busy = BusyHome(scene.home, "home")
    say(f"{rounds} random faults with the seed {seed}")
    async with busy.running():
        await sleep(BETWEEN_S)
        for name in _order(random, kinds, rounds):
            await kinds[name](scene, _length_s(random, name, soak=soak))
            done[name] += 1
            await sleep(random.uniform(0.2, BETWEEN_S))
    until_us = now_us()
    await settled(scene.server, until_us)
    say(f"{busy.fired} states of the load; {', '.join(f'{name} {count}' for name, count in sorted(done.items()))}")
    await verified(scene.home, scene.server, until_us)


async def test_nothing_is_missing_after_random_faults(tmp_path: Path, seed: int) -> None:
    async with product(tmp_path, {}) as scene:
        await suffer(scene, DISTURBANCES, seed)
        await scene.server.stop()
        assert stored_twice(scene.server) == []
        await scene.server.start()


async def test_nothing_is_missing_after_random_faults_on_databases(tmp_path: Path, seed: int) -> None:
    async with product_on_databases(tmp_path) as scene:
        await suffer(scene, {**OF_DATABASES, **DISTURBANCES}, seed)

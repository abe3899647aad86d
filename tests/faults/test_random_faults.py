"""Whatever goes wrong, in whatever order: in the end all that Home Assistant has is stored, exactly.

The order is random. Its seed is printed; ENERGY_FAULT_SEED repeats it, ENERGY_SOAK makes it long.
"""

import os
from asyncio import sleep
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random, SystemRandom

import pytest
import pytest_asyncio

from dev.provision import INTEGRATION
from tests.faults.disturbances import DISTURBANCES, Scene
from tests.product.busy import BusyHome
from tests.product.load import stored_twice
from tests.product.proxy import Proxy
from tests.product.running import homing, serving
from tests.product.saying import say
from tests.product.verifying import now_us, settled, verified

ROUNDS, SOAK_ROUNDS = 10, 200
LONGEST_S = 5.0
BETWEEN_S = 4.0

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(7200, func_only=True)]


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("ENERGY_FAULT_SEED") or SystemRandom().randrange(10**6))


@pytest_asyncio.fixture(loop_scope="session")
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Run a home and a server that know each other only through the proxy."""
    async with serving(tmp_path, tmp_path) as server:
        network = Proxy(server.port)
        async with network.listening(), homing(tmp_path) as home:
            await home.connection.flow(INTEGRATION, {"url": network.url, "token": server.token})
            await server.connected()
            yield Scene(home, server, network)


def _order(random: Random, rounds: int) -> Iterator[str]:
    """Yield each kind once, in a random order, before any comes again."""
    names = [
        name
        for _ in range(0, rounds, len(DISTURBANCES))
        for name in random.sample(sorted(DISTURBANCES), len(DISTURBANCES))
    ]
    yield from names[:rounds]


async def test_nothing_is_missing_after_random_faults(scene: Scene, seed: int) -> None:
    random = Random(seed)  # noqa: S311 chooses what fails next
    rounds = SOAK_ROUNDS if os.environ.get("ENERGY_SOAK") else ROUNDS
    done: Counter[str] = Counter()
    busy = BusyHome(scene.home, "home")
    say(f"{rounds} random faults with the seed {seed}")
    async with busy.running():
        await sleep(BETWEEN_S)
        for name in _order(random, rounds):
            await DISTURBANCES[name](scene, random.uniform(0.5, LONGEST_S))
            done[name] += 1
            await sleep(random.uniform(0.2, BETWEEN_S))
    until_us = now_us()
    await settled(scene.server, until_us)
    say(f"{busy.fired} states of the load; {', '.join(f'{name} {count}' for name, count in sorted(done.items()))}")
    await verified(scene.home, scene.server, until_us)
    await scene.server.stop()
    assert stored_twice(scene.server) == []

"""The server is killed at random moments under load, again and again: nothing acknowledged is lost, nothing doubled.

That the files are being sorted while it happens, at every step of it, is `tests/server/store/test_duckdb_kills.py`.
"""

import asyncio
import os
import random
from collections.abc import Callable

import pytest

from tests.product.load import Load, stored_twice
from tests.product.running import Product
from tests.product.saying import say

KILLS = 50 if os.environ.get("ENERGY_SOAK") else 5
LONGEST_LIFE_S = 4.0

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60 + 20 * KILLS, func_only=True)]


async def test_killed_at_random_moments(product: Product, load_of: Callable[..., Load]) -> None:
    server = product.server
    seed = int.from_bytes(os.urandom(4))
    rng = random.Random(seed)  # noqa: S311 - when to kill
    load = load_of(product)
    await load.announce(server)
    async with load.running():
        for _ in range(KILLS):
            await asyncio.sleep(rng.uniform(0, LONGEST_LIFE_S))
            await server.kill()
            await server.start(ready=rng.random() < 0.5)
        await server.until(server.is_ready, "the server to be ready")
    await server.connected(60)
    await load.arrived(server, 120)
    await server.stop()
    assert stored_twice(server) == []
    say(f"The server was killed {KILLS} times at random moments (seed {seed})")

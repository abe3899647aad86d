"""The server goes away under load, in every way: nothing is lost, nothing comes twice, Home Assistant goes on."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.product.home import Home, one_outage
from tests.product.load import Load, stored_twice
from tests.product.running import Product
from tests.product.saying import say

RESPONSIVE_S = 1.0
SOAK_S = 900

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(SOAK_S, func_only=True)]


@asynccontextmanager
async def staying_responsive(home: Home) -> AsyncIterator[None]:
    """Ask Home Assistant four times a second for the length of the context; the slowest answer is fast enough."""
    answers_s: list[float] = []

    async def ask() -> None:
        while True:
            began_s = time.monotonic()
            await home.connection.get("/api/config")
            answers_s.append(time.monotonic() - began_s)
            await asyncio.sleep(0.25)

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        asking.cancel()
        await asyncio.wait([asking])
    assert answers_s
    assert max(answers_s) < RESPONSIVE_S
    say(f"Home Assistant answered {len(answers_s)} times meanwhile, the slowest after {max(answers_s) * 1000:.0f} ms")


async def test_killed_under_load(product: Product, load_of: Callable[..., Load], outage_s: float) -> None:
    home, server = product.home, product.server
    load = load_of(product)
    await load.announce(server)
    before = len(home.lines())
    async with load.running():
        await asyncio.sleep(3)
        await server.kill()
        async with staying_responsive(home):
            await asyncio.sleep(outage_s)
        await server.start()
        await server.connected(60)
    await load.arrived(server)
    one_outage(home.lines()[before:], "No link")
    await server.stop()
    assert stored_twice(server) == []


async def test_stopped_and_started_under_load(product: Product, load_of: Callable[..., Load]) -> None:
    home, server = product.home, product.server
    load = load_of(product)
    await load.announce(server)
    before = len(home.lines())
    async with load.running():
        await asyncio.sleep(2)
        assert await server.stop() == 0
        await server.start()
        await server.connected(60)
        await asyncio.sleep(1)
        assert await server.stop() == 0
        await server.start()
        await server.connected(60)
    await load.arrived(server)
    levels = [line.level for line in home.lines()[before:]]
    assert "ERROR" not in levels
    await server.stop()
    assert stored_twice(server) == []

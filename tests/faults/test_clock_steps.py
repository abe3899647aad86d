"""Home Assistant's wall clock is set, forward and back: nothing that it recorded is missing."""

from asyncio import sleep
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.product.busy import BusyHome
from tests.product.clock import Clock
from tests.product.home import Home
from tests.product.running import homing, linked, serving
from tests.product.server import Server
from tests.product.verifying import nothing_missing, now_us
from tests.product.waiting import true

STEPS_S = (90.0, -45.0, 0.0, 400.0, 0.0)
"""Ahead of the machine's clock; each step back is less than what is taken for a clock that is wrong."""
FAR_S = 800.0
NO_CONTENT = 204

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900, func_only=True)]


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock.make(tmp_path)


@pytest_asyncio.fixture(loop_scope="session")
async def pair(tmp_path: Path, clock: Clock) -> AsyncIterator[tuple[Home, Server]]:
    """Run a home with a clock of its own, and a server."""
    async with (
        serving(tmp_path, tmp_path) as server,
        homing(tmp_path, environment=clock.environment) as home,
        linked(home, server),
    ):
        yield home, server


async def test_a_clock_that_is_set_costs_nothing(pair: tuple[Home, Server], clock: Clock) -> None:
    home, server = pair
    async with BusyHome(home, "clock").running():
        await sleep(5)
        for offset_s in STEPS_S:
            clock.set(offset_s)
            await sleep(8)
        await server.connected(60)
        await _believed(server, clock)
    await nothing_missing(home, server)


async def _believed(server: Server, clock: Clock) -> None:
    """Set it ahead, and back by more than what is believed, until the user says that it is right."""
    clock.set(FAR_S)
    await _until(server, lambda told: told["live_end_us"] > now_us() + FAR_S * 0.9e6, "its being ahead to be known")
    await sleep(5)
    clock.set(0.0)
    await _until(server, lambda told: told["refused"], "the clock to be refused")
    await sleep(5)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {server.token}"}) as session:
        answer = await session.post(f"{server.url}/api/sync/clock")
        assert answer.status == NO_CONTENT
    await _until(
        server, lambda told: not told["refused"] and told["live_end_us"] < now_us(), "the clock to be believed"
    )
    await sleep(5)


async def _until(server: Server, condition: Callable[[dict[str, Any]], object], what: str) -> None:
    async def look() -> bool:
        clock = (await server.get("/api/sync"))["clock"]
        return clock is not None and clock["live_end_us"] is not None and bool(condition(clock))

    await true(look, what, 90.0)

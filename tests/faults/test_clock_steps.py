"""Home Assistant's wall clock is set, forward and back: nothing that it recorded is missing."""

from asyncio import sleep
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.product.busy import BusyHome
from tests.product.clock import Clock
from tests.product.home import Home
from tests.product.running import homing, linked, serving
from tests.product.server import Server
from tests.product.verifying import nothing_missing

STEPS_S = (90.0, -45.0, 0.0, 400.0, 0.0)
"""Ahead of the machine's clock; each step back is less than what is taken for a clock that is wrong."""

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
    await nothing_missing(home, server)

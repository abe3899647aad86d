"""The server goes away under load, in every way: nothing is lost, nothing comes twice, Home Assistant goes on."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.product.busy import BusyHome
from tests.product.home import Home, one_outage
from tests.product.load import Load, stored_twice
from tests.product.running import Product, homing, linked, serving
from tests.product.saying import say
from tests.product.server import Server
from tests.product.verifying import nothing_missing, now_us, settled, verified

RESPONSIVE_S = 1.0
FIVE_MINUTES_US = 300_000_000
AWAY_S = 75.0
"""Longer than what counts as in time."""
ALONE_S = 55.0
"""One of two that are suspended for AWAY_S is so long without the other, which gives it up."""
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
    before, since_us = len(home.lines()), now_us()
    async with load.running():
        await asyncio.sleep(3)
        await server.kill()
        async with staying_responsive(home):
            await asyncio.sleep(outage_s)
        await server.start()
        await server.connected(60)
    await load.arrived(server)
    await one_outage(home, before, "No link")
    await nothing_missing(home, server, since_us)
    await server.stop()
    assert stored_twice(server) == []


async def test_stopped_and_started_under_load(product: Product, load_of: Callable[..., Load]) -> None:
    home, server = product.home, product.server
    load = load_of(product)
    await load.announce(server)
    before, since_us = len(home.lines()), now_us()
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
    await nothing_missing(home, server, since_us)
    await server.stop()
    assert stored_twice(server) == []


async def told_late(server: Server) -> dict[str, Any] | None:
    """Return the line of the sync log about an outage whose readings are all there."""
    log: list[dict[str, Any]] = (await server.get("/api/sync"))["log"]
    return next((line for line in log if line["what"] == "late"), None)


async def backfilled(server: Server, key: str, since_us: int, until_us: int) -> bool | None:
    """Say whether each 5 minutes that the span touches are rolled up as what came afterwards."""
    window = {"start": since_us // FIVE_MINUTES_US * FIVE_MINUTES_US, "end": until_us}
    (series,) = (await server.get("/api/statistics", key=key, level="5min", **window))["series"]
    expected = list(range(window["start"], until_us, FIVE_MINUTES_US))
    return (series["start_us"], series["provenance"]) == (expected, ["backfilled"] * len(expected)) or None


async def test_away_for_longer_than_what_counts_as_in_time(
    product: Product, load_of: Callable[..., Load], tmp_path: Path
) -> None:
    """Two homes at once: that takes no longer than one."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_stopped(product.home, product.server, load_of(product)))
        group.create_task(_suspended(tmp_path / "suspended"))


async def _suspended(folder: Path) -> None:
    """Stop first the server and then Home Assistant by SIGSTOP: connections stay open, nothing answers."""
    async with serving(folder, folder) as server, homing(folder) as home, linked(home, server):
        assert home.process is not None
        async with BusyHome(home, "suspended").running():
            await asyncio.sleep(3)
            server.running.pause()
            await asyncio.sleep(ALONE_S)
            home.process.pause()
            await asyncio.sleep(AWAY_S - ALONE_S)
            server.running.resume()
            await asyncio.sleep(ALONE_S)
            home.process.resume()
            await server.connected(90)
            await asyncio.sleep(3)
        await nothing_missing(home, server)


async def _stopped(home: Home, server: Server, load: Load) -> None:
    """Stop the server as by an update: what Home Assistant keeps meanwhile counts as backfilled."""
    await load.announce(server)
    async with load.running():
        await asyncio.sleep(3)
        stopping_us = now_us()
        assert await server.stop() == 0
        stopped_us = now_us()
        await asyncio.sleep(AWAY_S)
        starting_us = now_us()
        await server.start()
        await server.connected(90)
        back_us = now_us()
    await load.arrived(server)
    line = await server.until(partial(told_late, server), "the sync log to tell of it")
    assert line["source"] == "outbox"
    assert stopping_us - 5_000_000 < line["since_us"] < stopped_us
    assert starting_us < line["until_us"] < back_us
    assert line["rows"] > AWAY_S * 50

    until_us = now_us()
    await settled(server, until_us)
    span = {"start": line["since_us"], "end": line["until_us"]}
    entity = await server.known(load.series[0].entity_id)
    known = await server.get("/api/completeness/hours", key=entity["key"], **span)
    assert sum(hour["length_s"] for hour in known["hours"]) * 1e6 == pytest.approx(span["end"] - span["start"], abs=1e4)
    for hour in known["hours"]:
        assert hour["backfilled_s"] == pytest.approx(hour["length_s"], abs=0.01)
    look = partial(backfilled, server, entity["key"], line["since_us"], line["until_us"])
    await server.until(look, "all 5 minutes of the outage to be rolled up as backfilled")
    say(f"{line['rows']} readings of {(line['until_us'] - line['since_us']) / 1e6:.0f} s came afterwards")
    await verified(home, server, until_us)

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
    one_outage(home.lines()[before:], "No link")
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


async def rolled_up(server: Server, key: str, until_us: int) -> dict[str, Any] | None:
    """Return the rollups of an Entity once they reach an instant."""
    window = {"start": until_us - 3_600_000_000, "end": until_us}
    series: dict[str, Any] = (await server.get("/api/statistics", key=key, level="5min", **window))["series"][0]
    return series if series["start_us"] and series["start_us"][-1] + 300_000_000 >= until_us else None


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
        assert await server.stop() == 0
        stopped_us = now_us()
        await asyncio.sleep(AWAY_S)
        await server.start()
        await server.connected(90)
        back_us = now_us()
    await load.arrived(server)
    line = await server.until(partial(told_late, server), "the sync log to tell of it")
    assert line["source"] == "outbox"
    assert abs(line["since_us"] - stopped_us) < 5_000_000
    assert abs(line["until_us"] - back_us) < 5_000_000
    assert line["rows"] > AWAY_S * 50

    until_us = now_us()
    await settled(server, until_us)
    span = {"start": line["since_us"], "end": line["until_us"]}
    entity = await server.known(load.series[0].entity_id)
    known = await server.get("/api/completeness/hours", key=entity["key"], **span)
    for hour in known["hours"]:
        assert hour["backfilled_s"] == pytest.approx(hour["length_s"], abs=0.01)
    series = await server.until(partial(rolled_up, server, entity["key"], line["until_us"]), "the rollups")
    for start_us, provenance in zip(series["start_us"], series["provenance"], strict=True):
        if line["since_us"] < start_us + 300_000_000 and start_us < line["until_us"]:
            assert provenance == "backfilled"
    say(f"{line['rows']} readings of {(line['until_us'] - line['since_us']) / 1e6:.0f} s came afterwards")
    await verified(home, server, until_us)

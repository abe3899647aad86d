"""The Link: what Home Assistant has is what the server has, through restarts of either."""

import re
from datetime import UTC, datetime, timedelta
from time import time_ns

import pytest
from playwright.async_api import expect

from tests.e2e.oven import Oven
from tests.product.browser import Watched
from tests.product.home import EPOCH, Home
from tests.product.load import instant, stored_twice
from tests.product.running import Product
from tests.product.saying import say
from tests.product.server import Server
from tests.product.waiting import InVainError, true

# It changes every few seconds, whatever the weather.
USE = "sensor.home_consumption_power"
POWERS = (
    USE,
    *(f"sensor.home_{name}_power" for name in ("grid", "solar", "battery", "heat_pump", "network", "living_room")),
)
NUMBER = re.compile(r"-?\d+(\.\d+)?")
UNITS = {"energy": "kWh", "power": "W", "volume": "m³", "temperature": "°C"}
COLUMNS = ("mean", "min", "max", "change")
HOUR_US = 3_600_000_000
SETTLED_US = 2_000_000
STARTING_US = 300_000_000
NO_ANSWER = ("failed: ", "console error: ", "console warning: ", "502:", "503:")

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300, func_only=True)]


def now_us() -> int:
    return time_ns() // 1000


def to_us(seconds: float) -> int:
    """Return an instant of Home Assistant by the one rule for instants."""
    return (datetime.fromtimestamp(seconds, UTC) - EPOCH) // timedelta(microseconds=1)


async def recorded(home: Home, since_us: int, until_us: int) -> dict[str, dict[int, float]]:
    """Return the numbers that Home Assistant's recorder has of the home's powers, by entity and instant."""
    answer = await home.connection.command(
        "history/history_during_period",
        start_time=instant(since_us).isoformat(),
        end_time=instant(until_us).isoformat(),
        entity_ids=list(POWERS),
        include_start_time_state=False,
        significant_changes_only=False,
        minimal_response=False,
        no_attributes=True,
    )
    return {
        entity_id: {
            to_us(row["lu"]): float(row["s"]) for row in answer.get(entity_id, []) if NUMBER.fullmatch(row["s"])
        }
        for entity_id in POWERS
    }


async def stored(server: Server, since_us: int, until_us: int) -> dict[str, dict[int, float]]:
    """Return the numbers that the server has of them, each once."""
    found = {}
    for entity_id in POWERS:
        rows = await server.readings(entity_id, since_us, until_us)
        assert len({ts_us for ts_us, _ in rows}) == len(rows)
        found[entity_id] = {ts_us: value for ts_us, value in rows if value is not None}
    return found


async def the_same(product: Product, since_us: int, until_us: int) -> None:
    """Wait until the server has exactly what Home Assistant recorded in the span, and say how many states that is.

    Each of them writes in its own time.
    """
    theirs: dict[str, dict[int, float]] = {}
    ours: dict[str, dict[int, float]] = {}

    async def same() -> bool:
        nonlocal theirs, ours
        theirs = await recorded(product.home, since_us, until_us)
        ours = await stored(product.server, since_us, until_us)
        return ours == theirs

    try:
        await true(same, "the same readings on both sides")
    except InVainError:
        assert ours == theirs
        raise
    count = sum(map(len, theirs.values()))
    assert count
    say(f"{count} states of {len(POWERS)} entities recorded by Home Assistant, the same {count} readings here")


async def passed(product: Product, since_us: int) -> int:
    """Wait until the server has heard of some seconds after an instant; returns until when all of it should be here."""

    async def look() -> int | None:
        latest = (await product.server.known(USE))["latest"]
        until_us: int = latest["ts_us"] - SETTLED_US if latest else 0
        settled = until_us > since_us + 2 * SETTLED_US
        return until_us if settled and await product.server.readings(USE, since_us, until_us) else None

    return await product.server.until(look, "some seconds of readings")


async def test_the_statistics_of_home_assistant_are_here(product: Product) -> None:
    """Value by value, every hour that was over when Home Assistant was started, some time before listening began."""
    home, server = product.home, product.server
    await server.imported()
    entities = {
        entity["entity_id"]: entity
        for entity in (await server.get("/api/entities"))["entities"]
        if entity["entity_id"].startswith("sensor.home_")
    }
    until_us = (min(entity["since_us"] for entity in entities.values()) - STARTING_US) // HOUR_US * HOUR_US
    since_us = until_us - 48 * HOUR_US
    theirs = await home.connection.command(
        "recorder/statistics_during_period",
        start_time=instant(since_us).isoformat(),
        end_time=instant(until_us).isoformat(),
        statistic_ids=list(entities),
        period="hour",
        units=UNITS,
        types=[*COLUMNS, "state"],
    )
    compared = 0
    for entity_id, rows in theirs.items():
        answer = await server.get(
            "/api/statistics", key=entities[entity_id]["key"], level="hour", start=since_us, end=until_us
        )
        (ours,) = answer["series"]
        assert ours["start_us"] == [row["start"] * 1000 for row in rows], entity_id
        for place, row in enumerate(rows):
            for column in COLUMNS:
                if row.get(column) is not None:
                    assert ours[column][place] == pytest.approx(row[column], rel=1e-9, abs=1e-9), (entity_id, row)
                    compared += 1
    assert len(theirs) == len(entities)
    say(f"{compared} values of {len(theirs)} entities: Home Assistant's statistics and ours are the same")


async def test_what_is_recorded_there_is_stored_here(product: Product) -> None:
    since_us = now_us()
    await the_same(product, since_us, await passed(product, since_us))


async def test_home_assistant_restarts(product: Product, desktop: Watched) -> None:
    home, server = product.home, product.server
    chip = desktop.page.get_by_role("link", name=re.compile("Open Status"))
    await expect(chip).to_contain_text("Live")
    await passed(product, began_us := now_us())
    stopped_us = now_us()
    await home.stop()
    try:
        await expect(chip).to_contain_text("Waiting")
    finally:
        await home.start()
    await server.connected(60)
    started_us = now_us()
    await expect(chip).to_contain_text("Live", timeout=30_000)
    until_us = await passed(product, started_us)
    await the_same(product, began_us, stopped_us - SETTLED_US // 2)
    await the_same(product, started_us, until_us)
    site = await server.site()
    assert site is not None
    assert [gap for gap in site["gaps"] if gap["since_us"] >= began_us], "the time without Home Assistant is a Gap"


async def test_the_server_restarts(product: Product, oven: Oven, desktop: Watched) -> None:
    server, page = product.server, desktop.page
    chip = page.get_by_role("link", name=re.compile("Open Status"))
    number = page.get_by_role("listitem", name="Oven").locator("ed-live-number").first
    await expect(chip).to_contain_text("Live")
    began_us = now_us()
    assert await server.stop() == 0
    try:
        await expect(chip).to_contain_text("Not connected")
        await oven.uses(5_678.0)
        assert stored_twice(server) == []
    finally:
        await server.start()
    await server.connected(60)
    await expect(chip).to_contain_text("Live", timeout=45_000)
    await expect(number).to_have_text("5.68")
    await the_same(product, began_us, await passed(product, began_us))
    assert all(line.startswith((*NO_ANSWER, "503:")) for line in desktop.troubles), desktop.troubles
    desktop.troubles.clear()


async def test_reload_and_unload(product: Product) -> None:
    home, server = product.home, product.server
    entry_id = (await home.entry())["entry_id"]
    began_us = now_us()
    for _ in range(3):
        await home.connection.post(f"/api/config/config_entries/entry/{entry_id}/reload", {})
        await home.entry_is("loaded")
        await server.connected()
    await home.connection.command("config_entries/disable", entry_id=entry_id, disabled_by="user")
    try:
        await home.entry_is("not_loaded")

        async def is_away() -> bool | None:
            return None if await server.is_connected() else True

        await server.until(is_away, "the Link to be closed")
    finally:
        await home.connection.command("config_entries/disable", entry_id=entry_id, disabled_by=None)
    await home.entry_is("loaded")
    await server.connected()
    enabled_us = now_us()
    await the_same(product, enabled_us, await passed(product, enabled_us))
    assert {line.level for line in home.lines()} <= {"INFO", "WARNING"}
    await stored(server, began_us, enabled_us)

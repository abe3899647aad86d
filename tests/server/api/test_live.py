"""Live: a snapshot, then everything new at once; a slow browser is skipped ahead and holds nobody up."""

import asyncio
from typing import Any

import aiohttp
import orjson
import pytest

from energy_server.api import answers
from energy_server.api.live import MOST_BROWSERS, Browser, LiveHub, Rates
from energy_server.link.events import CatalogChanged, LinkChanged, ReadingsArrived, StatisticsStored
from tests.server.homes import START_US, gauge, read, settle
from tests.server.serving import Running, deaf

KEYS = [f"sensor.entity_{number:03}" for number in range(200)]


def arrived(ts_us: int, *keys: str, home: str = "home", value: float | None = 1.0) -> ReadingsArrived:
    return ReadingsArrived(home, keys, [ts_us] * len(keys), [value] * len(keys))


async def receive(live: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    async with asyncio.timeout(30):
        message: dict[str, Any] = await live.receive_json()
    answers.LiveMessage.model_validate(message)
    return message


async def test_a_snapshot_then_what_is_new(server: Running) -> None:
    await settle(server.core, [gauge()])
    await read(server.core, "power", [START_US, START_US + 1], [1.0, None])
    async with server.client.ws_connect(f"{server.url}/api/live") as live:
        first = await receive(live)
        assert first["rows"] == [["power", START_US + 1, None]]
        assert first["connected"] == {"home": False}
        assert abs(first["now_us"] - server.core.clock_us()) < 10_000_000
        for event, message in (
            (arrived(5, "power", value=2.5), {"type": "readings", "rows": [["power", 5, 2.5]]}),
            (arrived(6, "power", value=None), {"type": "readings", "rows": [["power", 6, None]]}),
            (LinkChanged("home", connected=True), {"type": "link", "site": "home", "connected": True}),
            (CatalogChanged("home"), {"type": "catalog", "site": "home"}),
            (StatisticsStored("home", 1, 9), {"type": "statistics", "site": "home", "start_us": 1, "end_us": 9}),
        ):
            server.core.hub.publish(event)
            assert await receive(live) == message


async def test_the_snapshot_has_what_arrived_and_is_not_stored_yet(server: Running) -> None:
    await settle(server.core, [gauge()])
    await settle(server.core, [gauge(home="cabin")], home="cabin")
    await read(server.core, "power", [START_US], [1.0])
    server.core.hub.publish(arrived(START_US - 1, "power", value=0.5))
    server.core.hub.publish(arrived(START_US + 1, "heat", home="cabin", value=7.0))
    async with server.client.ws_connect(f"{server.url}/api/live") as live:
        assert sorted((await receive(live))["rows"]) == [["heat", START_US + 1, 7.0], ["power", START_US, 1.0]]
    server.core.hub.publish(arrived(START_US + 2, "power", value=2.0))
    async with server.client.ws_connect(f"{server.url}/api/live?site=home") as live:
        assert (await receive(live))["rows"] == [["power", START_US + 2, 2.0]]


async def test_a_browser_may_want_one_site_only(server: Running) -> None:
    await settle(server.core, [gauge()])
    await settle(server.core, [gauge(home="cabin")], home="cabin")
    async with server.client.ws_connect(f"{server.url}/api/live?site=cabin") as live:
        assert (await receive(live))["connected"] == {"cabin": False}
        server.core.hub.publish(arrived(1, "a", home="home"))
        server.core.hub.publish(arrived(2, "b", home="cabin"))
        assert (await receive(live))["rows"] == [["b", 2, 1.0]]
    assert (await server.error("/api/live", status=426))["code"] == "upgrade_required"


async def test_a_browser_that_leaves_is_forgotten(server: Running) -> None:
    async with server.client.ws_connect(f"{server.url}/api/live") as live:
        await receive(live)
        assert len(server.core.hub) == 1
        await live.close()
    async with asyncio.timeout(30):
        while len(server.core.hub):  # noqa: ASYNC110 nothing in the product waits for this
            await asyncio.sleep(0)
    server.core.hub.publish(arrived(1, "a"))


async def test_a_browser_that_talks_too_much_is_closed(server: Running) -> None:
    async with server.client.ws_connect(f"{server.url}/api/live") as live:
        await receive(live)
        await live.send_str("anything is ignored")
        await live.send_str("x" * 100_000)
        async with asyncio.timeout(30):
            message = await live.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert live.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the next frame of a server: opcode and content."""
    first, length = await reader.readexactly(2)
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2))
    elif length == 127:
        length = int.from_bytes(await reader.readexactly(8))
    return first & 0x0F, await reader.readexactly(length)


async def test_a_slow_browser_is_skipped_ahead_and_holds_nobody_up(server: Running) -> None:
    hub, rounds = server.core.hub, 4_000
    async with server.client.ws_connect(f"{server.url}/api/live") as quick, deaf(server.url, "/api/live") as reader:
        await receive(quick)
        seen: dict[str, int] = {}

        async def follow() -> None:
            while len(seen) < len(KEYS) or min(seen.values()) < rounds - 1:
                message = await receive(quick)
                seen.update({row[0]: row[1] for row in message.get("rows", [])})

        following = asyncio.create_task(follow())
        async with asyncio.timeout(30):
            while len(hub) < 2:  # noqa: ASYNC110 nothing in the product waits for this
                await asyncio.sleep(0)
        for number in range(rounds):
            hub.publish(arrived(number, *KEYS))
            await asyncio.sleep(0)
            assert all(len(browser.rows) <= len(KEYS) for browser in hub._browsers)
        async with asyncio.timeout(30):
            await following  # while the other still has not read a byte
        rows: dict[str, int] = {}
        received = 0
        async with asyncio.timeout(30):
            while len(rows) < len(KEYS) or min(rows.values()) < rounds - 1:
                opcode, content = await frame(reader)
                if opcode == aiohttp.WSMsgType.TEXT:
                    message = orjson.loads(content)
                    rows.update({row[0]: row[1] for row in message["rows"]})
                    received += len(message["rows"])
    assert received < rounds * len(KEYS)  # skipped ahead, to the newest of each


def test_only_the_newest_waits() -> None:
    browser = Browser(None)
    browser.take(arrived(5, "a", value=5))
    browser.take(arrived(4, "a", value=4))
    browser.take(arrived(6, "b", value=6))
    browser.take(arrived(6, "a", home="cabin", value=7))
    browser.take(LinkChanged("home", connected=True))
    browser.take(LinkChanged("home", connected=False))
    browser.take(StatisticsStored("home", 10, 20))
    browser.take(StatisticsStored("home", 5, 12))
    assert browser.messages() == [
        {"type": "link", "site": "home", "connected": False},
        {"type": "readings", "rows": [("a", 5, 5), ("b", 6, 6), ("a", 6, 7)]},
        {"type": "statistics", "site": "home", "start_us": 5, "end_us": 20},
    ]
    assert browser.messages() == []
    assert not browser.waiting.is_set()


class Clock:
    def __init__(self) -> None:
        self.now_us = START_US

    def __call__(self) -> int:
        return self.now_us


def test_rates_are_of_the_last_hour() -> None:
    clock = Clock()
    rates = Rates(clock)
    assert rates.per_minute() == {}
    for _ in range(120):
        rates.count("home", ["a", "a", "b"])
        clock.now_us += 60_000_000
    assert rates.per_minute()["home", "a"] == pytest.approx(2, rel=0.05)
    assert rates.per_minute()["home", "b"] == pytest.approx(1, rel=0.05)
    clock.now_us += 3_600_000_000
    assert rates.per_minute() == {}


def test_a_young_server_knows_its_rates_since_its_start() -> None:
    clock = Clock()
    rates = Rates(clock)
    clock.now_us += 120_000_000
    rates.count("home", ["a"] * 20)
    assert rates.per_minute() == {("home", "a"): 10}


async def test_the_number_of_browsers_is_bounded(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("energy_server.api.live.MOST_BROWSERS", 1)
    assert MOST_BROWSERS >= 100
    async with server.client.ws_connect(f"{server.url}/api/live") as live:
        await receive(live)
        with pytest.raises(aiohttp.WSServerHandshakeError) as err:
            await server.client.ws_connect(f"{server.url}/api/live")
        assert err.value.status == 400


async def test_publishing_without_browsers_is_cheap() -> None:
    hub = LiveHub(Clock())
    for number in range(10):
        hub.publish(arrived(number, "a"))
    assert hub.rates.per_minute() == {("home", "a"): 10}

"""Feed a server over the Link as protocol/README.md says the integration does.

In:   the server's address and its token.
Out:  readings that are acknowledged, or are not, because the server cannot store them. Shares no code with the
      server, so that it speaks to whatever the image holds.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp

from tests.containers.container import answer

KEY = "meter"
SECOND_US = 1_000_000
ANSWER_WITHIN_S = 20.0
SITE = {
    "id": "9f2b7c1e5a6d4f0f8b1f2c3d4e5f6a7b",
    "name": "Home",
    "time_zone": "Europe/Amsterdam",
    "currency": "EUR",
    "country": "NL",
    "ha_version": "2026.10.4",
}
METER: dict[str, Any] = {
    "key": KEY,
    "entity_id": "sensor.meter",
    "name": "Meter",
    "area": None,
    "device": None,
    "kind": "energy",
    "unit": "kWh",
    "state_class": "total_increasing",
    "source": "state",
    "roles": [],
}

type Row = tuple[int, float]
"""Epoch microseconds, value."""


@dataclass(slots=True)
class Feed:
    """One connection; `rows` are the readings that were sent, `since_us` where the next ones begin."""

    socket: aiohttp.ClientWebSocketResponse
    since_us: int
    seq: int = 0
    rows: list[Row] = field(default_factory=list)

    async def send(self, count: int = 10) -> None:
        """Send readings, and wait until they are stored."""
        await self.offer(count)
        await self.settled()

    async def offer(self, count: int) -> None:
        """Send readings, and wait for nothing."""
        until_us = time.time_ns() // 1_000
        step_us = (until_us - self.since_us) // count
        rows = [(self.since_us + number * step_us, float(number)) for number in range(count)]
        described = {"type": "readings", "catalog": 1, "origin": "live", "span": [self.since_us, until_us], "of": "all"}
        await self.number({**described, "rows": [[0, *row] for row in rows]})
        self.since_us = until_us
        self.rows += rows

    async def number(self, message: dict[str, Any]) -> None:
        """Send a numbered message."""
        self.seq += 1
        await self.socket.send_json({**message, "seq": self.seq})

    async def settled(self) -> None:
        """Wait until everything that was sent is acknowledged, though the server says that it has to wait itself."""
        while (answer := await self.receive())["type"] != "ack" or answer["seq"] < self.seq:
            assert answer["type"] != "error" or answer["code"] == "store_unavailable", answer
        assert answer["refused"] == []

    async def receive(self) -> dict[str, Any]:
        """Return the server's next message."""
        answer: dict[str, Any] = await self.socket.receive_json(timeout=ANSWER_WITHIN_S)
        return answer


@asynccontextmanager
async def feeding(url: str, token: str) -> AsyncIterator[Feed]:
    """Open the Link of a home with one meter that was listened to for a minute."""
    now_us = time.time_ns() // 1_000
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.ws_connect(f"{url}/link") as socket:
        feed = Feed(socket, now_us - 60 * SECOND_US)
        greeting = {"type": "hello", "protocol": 1, "now_us": now_us, "site": SITE, "integration_version": "0.1.0"}
        await socket.send_json(greeting)
        assert (await feed.receive())["type"] == "welcome"
        await feed.number({"type": "catalog", "rev": 1, "entities": [{**METER, "since_us": feed.since_us}]})
        await feed.settled()
        yield feed


async def read(url: str, token: str | None, feed: Feed) -> list[Row]:
    """Return what a server has of the span in which the feed had readings."""
    status, body = await answer(url, "/api/readings", token, key=KEY, start=feed.rows[0][0], end=feed.rows[-1][0] + 1)
    assert status == HTTPStatus.OK, body
    return list(zip(body["ts_us"], body["value"], strict=True))

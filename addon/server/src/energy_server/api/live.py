"""Show new readings in every open dashboard at once.

In:   events of the Link and of the rollup, by `publish`, from any stage, without waiting.
Out:  messages on the WebSocket of each browser. A browser that is slow gets, as soon as its socket is free, only the
      newest reading of each Entity: what waits for it is bounded by the number of Entities. Nothing here fails
      towards the Link.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import orjson
from aiohttp import WSCloseCode, WSMsgType, web

from energy_server.errors import TooManyError
from energy_server.link.events import CatalogChanged, LinkChanged, LiveEvent, ReadingsArrived

HEARTBEAT_S = 20.0
MOST_BROWSERS = 200
MOST_BYTES_IN = 1_024
RATE_MINUTES = 60
CLOSE_WITHIN_S = 2.0

type Row = tuple[str, int, float | None]
type Message = dict[str, object]


@dataclass(slots=True, eq=False)
class Browser:
    """What waits for one browser."""

    site: str | None
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    connected: dict[str, bool] = field(default_factory=dict)
    catalogs: set[str] = field(default_factory=set)
    rolled: dict[str, tuple[int, int]] = field(default_factory=dict)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, event: LiveEvent) -> None:
        """Keep what is new for this browser, replacing what it has not yet been sent."""
        if self.site is not None and event.site != self.site:
            return
        if isinstance(event, ReadingsArrived):
            self._take_rows(event)
        elif isinstance(event, LinkChanged):
            self.connected[event.site] = event.connected
        elif isinstance(event, CatalogChanged):
            self.catalogs.add(event.site)
        else:
            start_us, end_us = self.rolled.get(event.site, (event.start_us, event.end_us))
            self.rolled[event.site] = min(start_us, event.start_us), max(end_us, event.end_us)
        self.waiting.set()

    def _take_rows(self, event: ReadingsArrived) -> None:
        for key, ts_us, value in zip(event.keys, event.ts_us, event.values, strict=True):
            known = self.rows.get((event.site, key))
            if known is None or known[1] <= ts_us:
                self.rows[event.site, key] = (key, ts_us, value)

    def messages(self) -> list[Message]:
        """Return what waits, as messages, and forget it."""
        self.waiting.clear()
        messages: list[Message] = [
            {"type": "link", "site": site, "connected": now} for site, now in self.connected.items()
        ]
        messages += [{"type": "catalog", "site": site} for site in self.catalogs]
        if self.rows:
            messages.append({"type": "readings", "rows": list(self.rows.values())})
        messages += [
            {"type": "statistics", "site": site, "start_us": start_us, "end_us": end_us}
            for site, (start_us, end_us) in self.rolled.items()
        ]
        for kept in (self.rows, self.connected, self.catalogs, self.rolled):
            kept.clear()
        return messages


class Rates:
    """Counts readings by Entity and minute, for the last hour."""

    def __init__(self, clock_us: Callable[[], int]) -> None:
        self._clock_us = clock_us
        self._since_us = clock_us()
        self._minutes: deque[tuple[int, Counter[tuple[str, str]]]] = deque(maxlen=RATE_MINUTES)

    def count(self, site: str, keys: Iterable[str]) -> None:
        """Count readings that arrived now."""
        minute = self._clock_us() // 60_000_000
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append((minute, Counter()))
        self._minutes[-1][1].update((site, key) for key in keys)

    def per_minute(self) -> dict[tuple[str, str], float]:
        """Return readings per minute of every Entity over the last hour, or since the start if that is later."""
        now_us = self._clock_us()
        minutes = min(max((now_us - self._since_us) / 60_000_000, 1.0), RATE_MINUTES)
        total: Counter[tuple[str, str]] = Counter()
        for minute, counts in self._minutes:
            if minute > now_us // 60_000_000 - RATE_MINUTES:
                total.update(counts)
        return {key: count / minutes for key, count in total.items()}


class LiveHub:
    """All open dashboards."""

    def __init__(self, clock_us: Callable[[], int]) -> None:
        self.rates = Rates(clock_us)
        self._browsers: dict[Browser, web.WebSocketResponse] = {}
        self._newest = Browser(None)

    def __len__(self) -> int:
        """Return the number of open dashboards."""
        return len(self._browsers)

    def publish(self, event: LiveEvent) -> None:
        """Pass an event to every browser, without waiting."""
        if isinstance(event, ReadingsArrived):
            self.rates.count(event.site, event.keys)
            self._newest.take(event)
        for browser in self._browsers:
            browser.take(event)

    def newest(self, site: str, stored: Iterable[Row]) -> list[Row]:
        """Return the newest row of each Entity of a Site: what is stored, and what is about to be."""
        rows = {row[0]: row for row in stored}
        for (of, key), row in self._newest.rows.items():
            if of == site and (key not in rows or rows[key][1] <= row[1]):
                rows[key] = row
        return list(rows.values())

    async def attend(
        self, request: web.Request, site: str | None, snapshot: Callable[[], Awaitable[Message]]
    ) -> web.WebSocketResponse:
        """Serve one browser until it leaves: first the snapshot, then what is new since. Raises TooManyError."""
        if len(self._browsers) >= MOST_BROWSERS:
            raise TooManyError(f"There are {MOST_BROWSERS} open dashboards already; close some.")
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, max_msg_size=MOST_BYTES_IN, compress=False, timeout=CLOSE_WITHIN_S
        )
        await socket.prepare(request)
        browser = Browser(site)
        self._browsers[browser] = socket
        try:
            first = await snapshot()
            writer = asyncio.create_task(_write(socket, browser, first), name="live browser")
            try:
                async for _message in socket:  # a browser has nothing to say; reading notices that it left
                    pass
            finally:
                writer.cancel()
                await asyncio.wait({writer})
        finally:
            del self._browsers[browser]
        return socket

    async def close(self) -> None:
        """Tell every browser that the server goes away."""
        sockets = list(self._browsers.values())
        await asyncio.gather(*(socket.close(code=WSCloseCode.GOING_AWAY) for socket in sockets))


async def _write(socket: web.WebSocketResponse, browser: Browser, first: Message) -> None:
    """Send what waits whenever the socket is free; ends when the browser is gone."""
    try:
        await socket.send_frame(orjson.dumps(first), WSMsgType.TEXT)
        while not socket.closed:
            await browser.waiting.wait()
            for message in browser.messages():
                await socket.send_frame(orjson.dumps(message), WSMsgType.TEXT)
    except ConnectionError:
        await socket.close()

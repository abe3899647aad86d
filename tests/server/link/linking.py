"""A real link endpoint on real stores, and a client that speaks the protocol by hand."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from energy_server.ledger.asked import Asked
from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.dirty import DirtyMarks
from energy_server.ledger.wanted import Wanted
from energy_server.link.endpoint import LinkEndpoint
from energy_server.link.events import LiveEvent
from energy_server.store.duckdb import DuckDBSeriesStore
from energy_server.store.port import SeriesStore, StateStore
from energy_server.store.sqlite import SqliteStateStore

Json = dict[str, Any]

NOON_US = 1_791_892_800_000_000
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
SITE = "9f2b7c1e5a6d4f0f8b1f2c3d4e5f6a7b"
ANSWER_WITHIN_S = 30.0


@dataclass
class Linked:
    """The endpoint, where its data goes, and what it published."""

    url: str
    links: LinkEndpoint
    series: SeriesStore
    state: StateStore
    ledger: CoverageLedger
    dirty: DirtyMarks
    asked: Asked
    events: list[LiveEvent]
    published: asyncio.Event
    session: aiohttp.ClientSession

    async def connect(self) -> Client:
        return Client(await self.session.ws_connect(self.url))


@dataclass
class Client:
    """One connection; `seq` counts the numbered messages."""

    socket: aiohttp.ClientWebSocketResponse
    seq: int = 0
    received: list[Json] = field(default_factory=list)

    async def send(self, message: Json) -> None:
        await self.socket.send_str(json.dumps(message))

    async def number(self, message: Json) -> int:
        self.seq += 1
        await self.send(message | {"seq": self.seq})
        return self.seq

    async def receive(self) -> Json | None:
        """Return the server's next message, None when it closed."""
        async with asyncio.timeout(ANSWER_WITHIN_S):
            message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            return None
        answer: Json = json.loads(message.data)
        self.received.append(answer)
        return answer

    async def expect(self, type_: str, /, **fields: Any) -> Json:
        """Return the first message of this type and fields; requests, gaps and smaller acks are passed over."""
        wanted = {"type": type_, **fields}
        while (answer := await self.receive()) is not None:
            if wanted.items() <= answer.items():
                return answer
            assert answer["type"] in ("request", "gaps") or (
                answer["type"] == type_ == "ack" and answer["seq"] < fields["seq"]
            ), f"expected {wanted}, came {answer}"
        raise AssertionError(f"closed before {wanted}")

    async def expect_close(self) -> None:
        while (answer := await self.receive()) is not None:
            assert answer["type"] in ("request", "gaps", "ack"), answer
        assert self.socket.closed

    async def greet(self, *, now_us: int = NOON_US, site: str = SITE, keys: tuple[str, ...] = ("a", "b", "c")) -> None:
        await self.send(hello(now_us=now_us, site=site))
        await self.expect("welcome")
        seq = await self.number(catalog(*keys))
        await self.expect("ack", seq=seq)


def hello(*, now_us: int = NOON_US, site: str = SITE, protocol: int = 1) -> Json:
    described = {
        "id": site,
        "name": "Home",
        "time_zone": "Europe/Amsterdam",
        "currency": "EUR",
        "country": None,
        "ha_version": "2026.10.4",
    }
    return {
        "type": "hello",
        "protocol": protocol,
        "now_us": now_us,
        "site": described,
        "integration_version": "0.1.0",
    }


def entity(key: str, **fields: Any) -> Json:
    return {
        "key": key,
        "since_us": NOON_US - HOUR_US,
        "entity_id": f"sensor.{key}",
        "name": key.upper(),
        "area": None,
        "device": None,
        "kind": "energy",
        "unit": "kWh",
        "state_class": "total_increasing",
        "source": "state",
        "roles": [],
        **fields,
    }


def catalog(*keys: str, rev: int = 1) -> Json:
    return {"type": "catalog", "rev": rev, "entities": [entity(key) for key in keys]}


def readings(rows: list[Any], span: tuple[int, int] = (NOON_US - MINUTE_US, NOON_US), **fields: Any) -> Json:
    return {"type": "readings", "catalog": 1, "origin": "live", "span": span, "of": "all", "rows": rows, **fields}


@asynccontextmanager
async def linked(
    folder: Path, *, series: SeriesStore | None = None, commit_interval_s: float = 0.0
) -> AsyncIterator[Linked]:
    """Open everything; the clock of the server stands still, since it must not matter."""
    stored: SeriesStore = DuckDBSeriesStore(folder / "series") if series is None else series
    state: StateStore = SqliteStateStore(folder / "state.sqlite")
    await stored.open()
    await state.open()
    ledger, dirty = CoverageLedger(state, stored.store_id), DirtyMarks(state)
    await ledger.load()
    await dirty.load()
    events: list[LiveEvent] = []
    published = asyncio.Event()

    def publish(event: LiveEvent) -> None:
        events.append(event)
        published.set()

    asked = Asked()
    links = LinkEndpoint(
        series=stored,
        state=state,
        ledger=ledger,
        dirty=dirty,
        asked=asked,
        wanted=Wanted(ledger, asked),
        publish=publish,
        clock_us=lambda: NOON_US,
        server_id="5d0c8b4e",
        commit_interval_s=commit_interval_s,
    )
    app = web.Application()
    app.router.add_get("/link", links.handle)
    server = TestServer(app)
    await server.start_server()
    async with aiohttp.ClientSession() as session:
        yield Linked(
            str(server.make_url("/link")), links, stored, state, ledger, dirty, asked, events, published, session
        )
    await links.close()
    await server.close()
    await ledger.close()
    await stored.close()
    await state.close()

"""A browser that stops reading is skipped ahead; it holds up nobody."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import AddrInfoType

from tests.product.load import Load
from tests.product.running import Product
from tests.product.saying import say
from tests.product.server import Server

SMALL_BYTES = 4_096
LOAD_S = 10.0
ARRIVED_WITHIN_S = 10.0

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _with_little_room(address: AddrInfoType) -> socket.socket:
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BYTES)
    return made


@asynccontextmanager
async def watching(server: Server) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open the live view as a browser would, with little room for what it does not read."""
    connector = aiohttp.TCPConnector(socket_factory=_with_little_room)
    headers = {"Authorization": f"Bearer {server.token}"}
    async with (
        aiohttp.ClientSession(connector=connector, headers=headers) as session,
        session.ws_connect(f"{server.url}/api/live", max_msg_size=0) as view,
    ):
        yield view


async def test_a_browser_that_reads_nothing(product: Product, load_of: Callable[..., Load]) -> None:
    server = product.server
    load = load_of(product, entities=40, per_s=600)
    await load.announce(server)
    keys = [(await server.known(series.entity_id))["key"] for series in load.series]
    async with watching(server) as view:
        assert (await view.receive_json())["type"] == "snapshot"
        connection = view._response.connection
        assert connection is not None
        transport = connection.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        async with load.running():
            await asyncio.sleep(LOAD_S)
        await load.arrived(server, ARRIVED_WITHIN_S)

        transport.resume_reading()
        newest = {key: series.rows[-1][0] for key, series in zip(keys, load.series, strict=True)}
        rows = 0
        while newest:
            message = json.loads((await view.receive()).data)
            for key, ts_us, _ in message.get("rows", ()):
                rows += key in keys
                if newest.get(key) == ts_us:
                    del newest[key]
    assert rows < load.fired
    say(f"The browser that slept got {rows} of {load.fired} readings, the newest of each entity among them")

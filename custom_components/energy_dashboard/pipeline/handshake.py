"""Open the Link: WebSocket, hello, welcome; and close it with a goodbye.

In:   the address and token, this Site.
Out:  an open WebSocket and what the server says of itself.
Fails with UnreachableError where nobody answered, RefusedError where somebody said no: invalid_auth, host_not_allowed,
too_many_attempts, not_energy_server, protocol_unsupported, site_busy, or another code of the protocol's table.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import time_ns
from typing import Any, Final
from uuid import uuid4

from aiohttp import (
    ClientError,
    ClientResponseError,
    ClientSession,
    ClientWebSocketResponse,
    ClientWSTimeout,
)
from homeassistant.helpers.json import json_bytes
from yarl import URL

from .errors import PipelineError, ProtocolUnsupportedError, RefusedError, UnreachableError
from .model import Site
from .wire import CLOSE_TIMEOUT_S, Wire

PROTOCOL: Final = 1
RUN: Final = uuid4().hex
"""Of this start of Home Assistant: a copy has the same id and token, and the server must tell them apart."""
CONNECT_TIMEOUT_S: Final = 10.0
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024

REFUSED_BY_STATUS: Final = {401: "invalid_auth", 403: "host_not_allowed", 429: "too_many_attempts"}
NOT_YET: Final = frozenset({500, 502, 503, 504})
"""Answers of a server that is starting, or of a proxy in front of one that is away."""
TEMPORARY: Final = frozenset({"shutting_down", "store_unavailable"})


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server is and what opens it."""

    url: str
    token: str
    verify_ssl: bool = True

    @property
    def link_url(self) -> URL:
        """Return the address of the WebSocket."""
        return URL(self.url) / "link"


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the server says of itself."""

    server_id: str
    server_version: str
    window: int
    max_rows: int
    max_bytes: int


@asynccontextmanager
async def open_link(
    session: ClientSession, server: Server, site: Site, integration_version: str
) -> AsyncIterator[tuple[Wire, Welcome]]:
    """Open the Link for the length of the context; leaving it says goodbye if the connection still stands."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            wire = Wire(await _connect(session, server))
    except TimeoutError as err:
        raise UnreachableError("the connection timed out") from err
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            welcome = await _greet(wire, site, integration_version)
        yield wire, welcome
    except TimeoutError as err:
        raise UnreachableError("the server did not answer in time") from err
    except ClientError as err:
        raise UnreachableError(f"the connection broke: {err}") from err
    finally:
        await wire.close()


async def _connect(session: ClientSession, server: Server) -> ClientWebSocketResponse:
    """Open the WebSocket, giving each refusal its code."""
    try:
        return await session.ws_connect(
            server.link_url,
            headers={"Authorization": f"Bearer {server.token}"},
            autoping=False,
            max_msg_size=MAX_MESSAGE_BYTES,
            timeout=ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
        )
    except ClientResponseError as err:
        if err.status in NOT_YET:
            raise UnreachableError(f"the server answered {err.status}", "not_ready") from err
        code = REFUSED_BY_STATUS.get(err.status, "not_energy_server")
        raise RefusedError(f"the server answered {err.status}", code) from err
    except (ClientError, OSError) as err:
        raise UnreachableError(str(err) or type(err).__name__) from err


async def _greet(wire: Wire, site: Site, integration_version: str) -> Welcome:
    """Say hello and read the answer."""
    hello = {
        "type": "hello",
        "protocol": PROTOCOL,
        "now_us": time_ns() // 1000,
        "site": site.message(),
        "integration_version": integration_version,
        "run": RUN,
    }
    await wire.send(json_bytes(hello))
    answer = await wire.receive()
    if answer.get("type") == "error":
        raise refusal(answer)
    return _welcome(answer)


def _welcome(answer: dict[str, Any]) -> Welcome:
    try:
        welcome = Welcome(
            server_id=str(answer["server_id"]),
            server_version=str(answer["server_version"]),
            window=int(answer["window"]),
            max_rows=int(answer["max_rows"]),
            max_bytes=int(answer["max_bytes"]),
        )
        protocol, oldest, newest = int(answer["protocol"]), int(answer["oldest"]), int(answer["newest"])
    except (KeyError, TypeError, ValueError) as err:
        raise RefusedError("the answer is not of an Energy Dashboard server", "not_energy_server") from err
    if answer.get("type") != "welcome":
        raise RefusedError("the answer is not of an Energy Dashboard server", "not_energy_server")
    if protocol != PROTOCOL:
        raise ProtocolUnsupportedError(f"the server speaks version {protocol}", oldest, newest)
    return welcome


def refusal(answer: dict[str, Any]) -> PipelineError:
    """Return the error for an `error` message of the server."""
    code, message = str(answer.get("code", "unknown")), str(answer.get("message", ""))
    if code in TEMPORARY:
        return UnreachableError(message or code)
    if code == ProtocolUnsupportedError.code:
        oldest, newest = answer.get("oldest"), answer.get("newest")
        return ProtocolUnsupportedError(
            message, oldest if isinstance(oldest, int) else 0, newest if isinstance(newest, int) else 0
        )
    return RefusedError(message or code, code)

"""A server that speaks the real protocol over a real WebSocket on loopback, and remembers everything it was told.

It holds the client to the contract: each message is checked against the schema, numbers grow by one, places exist, the
window is kept. What breaks it lands in `violations`, which the fixture asserts to be empty.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import WSMessage, WSMsgType, web
from jsonschema import Draft202012Validator

PROTOCOL = Path(__file__).resolve().parents[2] / "protocol"
SCHEMA = json.loads((PROTOCOL / "schema" / "v1.json").read_text())
CLIENT_MESSAGE = Draft202012Validator(SCHEMA | {"oneOf": [{"$ref": "#/$defs/client_message"}]})
SERVER_MESSAGE = Draft202012Validator(SCHEMA | {"oneOf": [{"$ref": "#/$defs/server_message"}]})

type Message = dict[str, Any]

TOKEN = "a token that nobody guesses"
NUMBERED = ("catalog", "readings", "statistics", "nothing")


class FakeServer:
    """One server at one port, which it keeps when it is stopped and started."""

    def __init__(self) -> None:
        self.token = TOKEN
        self.port = 0
        self.status: int | None = None
        self.welcome: Message | str | None = {}
        self.silent = False
        self.deaf = False
        self.pings = 0
        self.acknowledging = True
        self.window = 64
        self.messages: list[Message] = []
        self.connections: list[list[Message]] = []
        self.violations: list[str] = []
        self.sockets: set[web.WebSocketResponse] = set()
        self.unacknowledged = 0
        self.rejected = 0
        self.answer: Callable[[Message], Message | None] = lambda _message: None
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    @property
    def other_url(self) -> str:
        """Return another address of the same server."""
        return f"{self.url}/behind/a/proxy"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/link", self._link)
        app.router.add_get("/behind/a/proxy/link", self._link)
        app.router.add_get("/api/health", self._health)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Vanish: open connections are cut without a word."""
        if self._runner is None:
            return
        await self.cut()
        await self._runner.cleanup()
        self._runner = None

    async def cut(self) -> None:
        there = set(self.sockets)
        for socket in there:
            if (request := socket._req) is not None and request.transport is not None:
                request.transport.abort()
        await self.until(lambda: not there & self.sockets)  # the client may be back already

    async def close_politely(self) -> None:
        for socket in list(self.sockets):
            await socket.close()

    async def send(self, message: Message) -> None:
        SERVER_MESSAGE.validate(message)
        for socket in list(self.sockets):
            await socket.send_json(message)

    async def acknowledge(self, seq: int | None = None, refused: list[Message] | None = None) -> None:
        """Acknowledge up to a number, or everything."""
        last = max((message["seq"] for message in self.connections[-1] if "seq" in message), default=0)
        settled = last if seq is None else seq
        self.unacknowledged = last - settled
        await self.send({"type": "ack", "seq": settled, "refused": refused or []})

    async def until(self, condition: Callable[[], object], timeout_s: float = 30) -> None:
        """Wait for an event; nothing here sleeps."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(lambda: bool(condition()))

    async def message(self, kind: str, wanted: Callable[[Message], object] = bool) -> Message:
        """Wait for a message of this type that is wanted, and return the first."""

        def found() -> list[Message]:
            return [message for message in self.messages if message.get("type") == kind and wanted(message)]

        await self.until(found)
        return found()[0]

    def of(self, kind: str) -> list[Message]:
        return [message for message in self.messages if message.get("type") == kind]

    def rows(self) -> list[tuple[str, int, float | None]]:
        """Return all live rows by entity_id, whatever catalog they came under."""
        found: list[tuple[str, int, float | None]] = []
        for connection in self.connections:
            catalogs: dict[int, list[Message]] = {}
            for message in connection:
                if message["type"] == "catalog":
                    catalogs[message["rev"]] = message["entities"]
                if message["type"] == "readings":
                    entities = catalogs[message["catalog"]]
                    found.extend((entities[row[0]]["entity_id"], row[1], row[2]) for row in message["rows"])
        return found

    async def row(self, entity_id: str, value: float | None) -> tuple[str, int, float | None]:
        """Wait for a reading."""

        def found() -> list[tuple[str, int, float | None]]:
            return [row for row in self.rows() if row[0] == entity_id and row[2] == value]

        await self.until(found)
        return found()[0]

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _link(self, request: web.Request) -> web.StreamResponse:
        if self.status is not None:
            return web.json_response({"error": {"code": "x", "message": "x", "field": None}}, status=self.status)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            self.rejected += 1
            async with self._changed:
                self._changed.notify_all()
            return web.json_response({"error": {"code": "unauthorized", "message": "x", "field": None}}, status=401)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.sockets.add(socket)
        try:
            await self._converse(socket)
        finally:
            self.sockets.discard(socket)
            async with self._changed:
                self._changed.notify_all()
        return socket

    async def _converse(self, socket: web.WebSocketResponse) -> None:
        heard: list[Message] = []
        self.connections.append(heard)
        self.unacknowledged = 0
        async for frame in socket:
            if frame.type in (WSMsgType.PING, WSMsgType.PONG):
                await self._pong(socket, frame)
                continue
            if frame.type is not WSMsgType.TEXT:
                self.violations.append(f"a frame of type {frame.type}")
                return
            message = json.loads(frame.data)
            self._check(message, heard)
            heard.append(message)
            self.messages.append(message)
            async with self._changed:
                self._changed.notify_all()
            if not self.deaf or message["type"] == "hello":
                await self._answer(socket, message)

    async def _pong(self, socket: web.WebSocketResponse, frame: WSMessage) -> None:
        if frame.type is WSMsgType.PING and not self.deaf:
            self.pings += 1
            await socket.pong(frame.data)
            async with self._changed:
                self._changed.notify_all()

    async def _answer(self, socket: web.WebSocketResponse, message: Message) -> None:
        if message["type"] == "hello":
            await self._greet(socket)
        elif message["type"] == "goodbye":
            await socket.close()
        elif (answer := self.answer(message)) is not None:
            await socket.send_json(answer)
            if answer["type"] == "error" and answer["code"] not in (
                "clock_behind",
                "unknown_type",
                "store_unavailable",
            ):
                await socket.close()
        elif self.acknowledging and "seq" in message:
            self.unacknowledged = 0
            await socket.send_json({"type": "ack", "seq": message["seq"], "refused": []})

    async def _greet(self, socket: web.WebSocketResponse) -> None:
        if self.silent:
            return
        if self.welcome is None:
            await socket.close()
        elif isinstance(self.welcome, str):
            await socket.send_str(self.welcome)
        elif self.welcome.get("type") == "error":
            await socket.send_json(self.welcome)
            await socket.close()
        else:
            welcome = {
                "type": "welcome",
                "protocol": 1,
                "oldest": 1,
                "newest": 1,
                "server_version": "0.1.0",
                "server_id": "5e1f",
                "window": self.window,
                "max_rows": 5000,
                "max_bytes": 1048576,
            }
            await socket.send_json(welcome | self.welcome)

    def _check(self, message: Message, heard: list[Message]) -> None:
        """Hold the client to the contract."""
        self.violations.extend(
            f"{error.json_path}: {error.message[:200]}" for error in CLIENT_MESSAGE.iter_errors(message)
        )
        if not heard and message["type"] != "hello":
            self.violations.append("the first message is not hello")
        if "seq" not in message:
            return
        self.unacknowledged += 1
        if self.unacknowledged > self.window:
            self.violations.append("more messages than the window holds")
        numbers = [earlier["seq"] for earlier in heard if "seq" in earlier]
        if message["seq"] != len(numbers) + 1:
            self.violations.append(f"number {message['seq']} after {numbers[-1:]}")
        catalogs = {earlier["rev"]: earlier["entities"] for earlier in heard if earlier["type"] == "catalog"}
        if message["type"] == "catalog":
            return
        if message["catalog"] not in catalogs:
            self.violations.append("a catalog that was not sent on this connection")
            return
        count = len(catalogs[message["catalog"]])
        if any(not 0 <= row[0] < count for row in message.get("rows", [])):
            self.violations.append("a place that the catalog lacks")


def readings(messages: list[Message]) -> list[Message]:
    """Return the messages that carry readings."""
    return [message for message in messages if message["type"] == "readings"]

"""The WebSocket at /link: hello, one connection for each Site, orderly ends.

In:   an authenticated HTTP request.
Out:  the WebSocket, when it is over.
Failures: none that are expected leave it; refusals are told to the client, defects reach aiohttp, which logs them.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

import orjson
from aiohttp import ClientConnectionResetError, WSMessage, WSMsgType, web

from energy_server import __version__
from energy_server.errors import InvalidParameterError, StoreUnavailableError
from energy_server.ledger.asked import Asked
from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.dirty import DirtyMarks
from energy_server.ledger.wanted import Wanted
from energy_server.link.errors import LinkError
from energy_server.link.events import LinkChanged, LiveEvent
from energy_server.link.ingest import WINDOW, Stores
from energy_server.link.messages import MAX_BYTES, MAX_ROWS, Hello, Message, decode
from energy_server.link.runs import COPIED, TOLD, Runs
from energy_server.link.session import Session, Surroundings
from energy_server.link.status import LinkRecord, LinkStatus, Trouble
from energy_server.model.audit import Counted, Digested
from energy_server.model.coverage import Span
from energy_server.store.port import SeriesStore, StateStore, SyncEntry

OLDEST_PROTOCOL = NEWEST_PROTOCOL = 1
HELLO_TIMEOUT_S = 10.0
HEARTBEAT_S = 15.0
"""A client that vanished without a word keeps its Site busy for about as long."""
DRAIN_TIMEOUT_S = 5.0
RECEIVE_BYTES = 2 * MAX_BYTES
"""Up to here `too_large` is answered; beyond, the WebSocket closes with 1009."""

_LOGGER = logging.getLogger(__name__)


class LinkEndpoint:
    """The server's end of all Links."""

    def __init__(
        self,
        *,
        series: SeriesStore,
        state: StateStore,
        ledger: CoverageLedger,
        dirty: DirtyMarks,
        asked: Asked,
        wanted: Wanted,
        publish: Callable[[LiveEvent], None],
        clock_us: Callable[[], int],
        server_id: str,
        commit_interval_s: float = 1.0,
    ) -> None:
        self._stores = Stores(series, state, ledger, dirty, asked, publish)
        self._around = Surroundings(self._stores, wanted, publish, clock_us, commit_interval_s)
        self._server_id = server_id
        self._runs = Runs(state, ledger)
        self._records: dict[str, LinkRecord] = {}
        self._open: dict[str, web.WebSocketResponse] = {}
        self._sockets: set[web.WebSocketResponse] = set()
        self._sessions: dict[str, Session] = {}
        self._stopping = False

    def status(self, site: str) -> LinkStatus:
        """Return how the Link of a Site is, which may never have connected."""
        return self._records.get(site, LinkRecord()).status(self._around.now_us())

    def record(self, site: str) -> LinkRecord:
        """Return what is kept of a Site's Link, which may never have connected."""
        return self._records.get(site, LinkRecord())

    def connected_since_us(self, site: str) -> int | None:
        """Return since when a Site is connected, by the server's clock; None if it is not."""
        record = self.record(site)
        return record.since_us if record.connected else None

    def oldest_us(self, site: str) -> int | None:
        """Return the oldest state of a Site's recorder, None where it has not said so."""
        recorder = self.record(site).recorder
        return recorder.oldest_us if recorder else None

    async def ask(
        self, site: str, kind: str, keys: Sequence[str], span: Span | None, within_s: float
    ) -> Counted | Digested | None:
        """Ask a Site's client to count or digest; None where no answer came."""
        session = self._sessions.get(site)
        return None if session is None else await session.ask(kind, keys, span, within_s)

    async def request_statistics(self, site: str, keys: Sequence[str], span: Span) -> None:
        """Ask a Site's client, if it is there, for hourly statistics, which come as ever."""
        session = self._sessions.get(site)
        if session is not None:
            await session.request_statistics(keys, span)

    async def believe_clock(self, site: str) -> None:
        """Take the clock of a Site's client as right, as its user says. Raises InvalidParameterError if it is."""
        record = self._records.get(site)
        if record is None or record.clock is None or record.clock.refusal is None:
            raise InvalidParameterError("The clock of this Site is not refused.", field="site")
        now_us = record.clock.now_us()
        live_end_us = self._stores.ledger.live_end_us(site)
        await self._stores.ledger.void_after(site, now_us)
        record.clock.refusal = record.error = None
        text = "its user says that the clock of Home Assistant is right"
        await self._around.note(SyncEntry(self._around.now_us(), site, "clock", text, now_us, live_end_us))
        if site in self._open:
            await self._open[site].close()  # what was refused is sent again on the next connection

    def store_trouble(self) -> str | None:
        """Return why readings that are there cannot be stored now, None when they are or there are none."""
        troubles = (record.error for record in self._records.values() if record.connected)
        return next((one.message for one in troubles if one is not None and one.code == "store_unavailable"), None)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it is over."""
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=RECEIVE_BYTES, compress=False)
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await self._converse(socket)
        except LinkError as err:
            await _send(socket, err.answer())
        finally:
            self._sockets.discard(socket)
            await socket.close()
        return socket

    async def close(self) -> None:
        """Tell every client that the server stops, and close."""
        self._stopping = True
        goodbye = LinkError("shutting_down", "The server stops. Connect again later.")
        for socket in list(self._sockets):
            await _send(socket, goodbye.answer())
            await socket.close()

    async def _converse(self, socket: web.WebSocketResponse) -> None:
        hello = await self._hello(socket)
        if hello is None:
            return
        site = hello.site.id
        if await self._runs.greet(site, hello.run):
            await self._part(site)
        if site in self._open:
            raise LinkError("site_busy", "Another connection of this home is open. Close it, or wait.")
        record = self._records.setdefault(site, LinkRecord())
        self._open[site] = socket
        record.connected, record.since_us, record.error = True, self._around.now_us(), None
        self._around.publish(LinkChanged(site, connected=True))
        said = f"Home Assistant {hello.site.ha_version}"
        if record.ended == "server" and self._stores.ledger.live_end_us(site) is not None:
            said += "; the server was not running"
        await self._note(site, "connected", said, hello.now_us, record.ended)
        why, record.ended = "", "broken"
        try:
            await self._runs.speaks(site, hello.run)
            if await self._serve(socket, hello, record):
                why, record.ended = "Home Assistant said goodbye", "goodbye"
        except LinkError as err:
            record.error = Trouble(err.code, err.message)
            why = err.message
            raise
        except StoreUnavailableError as err:
            record.error, why = Trouble(err.code, err.message), err.message
            raise LinkError(err.code, err.message) from err
        finally:
            del self._open[site]
            self._sessions.pop(site, None)
            record.connected, record.since_us = False, self._around.now_us()
            self._around.publish(LinkChanged(site, connected=False))
            broke = "the server was stopped" if self._stopping else "the connection broke"
            await self._note(site, "disconnected", why or broke)

    async def _part(self, site: str) -> None:
        """End the connection of a copy, now that the one that it is a copy of has come back, and tell of it."""
        _LOGGER.warning("A copy of the Home Assistant of Site %s is running, and is refused from now on", site)
        await self._note(site, "copy", COPIED)
        socket = self._open.get(site)
        if socket is not None:
            await _send(socket, LinkError("site_busy", TOLD).answer())
            await socket.close()

    async def _note(
        self, site: str, what: str, detail: str, until_us: int | None = None, source: str | None = None
    ) -> None:
        """Write a line of the sync log; the span is that between live Coverage and now, by the client's clock."""
        since_us = None if until_us is None else self._stores.ledger.live_end_us(site)
        until_us = None if since_us is None else until_us
        entry = SyncEntry(self._around.now_us(), site, what, detail, since_us, until_us, source=source)
        await self._around.note(entry)

    async def _hello(self, socket: web.WebSocketResponse) -> Hello | None:
        try:
            async with asyncio.timeout(HELLO_TIMEOUT_S):
                message = await _receive(socket)
        except TimeoutError:
            raise LinkError("bad_message", "No hello came.") from None
        if message is None:
            return None
        if not isinstance(message, Hello):
            raise LinkError("bad_message", "The first message is hello.")
        if not OLDEST_PROTOCOL <= message.protocol <= NEWEST_PROTOCOL:
            raise LinkError(
                "protocol_unsupported",
                f"This server speaks protocol {OLDEST_PROTOCOL} to {NEWEST_PROTOCOL}, not {message.protocol}.",
                extra={"oldest": OLDEST_PROTOCOL, "newest": NEWEST_PROTOCOL},
            )
        return message

    async def _serve(self, socket: web.WebSocketResponse, hello: Hello, record: LinkRecord) -> bool:
        """Converse until the end; True when the client said goodbye."""

        async def send(message: dict[str, object]) -> None:
            await _send(socket, message)

        session = self._sessions[hello.site.id] = Session(hello, record, self._around, send)
        await send(self._welcome())
        await session.begin()
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(session.ingest.run())
            telling = tasks.create_task(session.tell())
            refusal = None
            goodbye = False
            try:
                goodbye = await _read_all(socket, session)
                if goodbye:
                    await session.ingest.finish()
                    await asyncio.wait([writing], timeout=DRAIN_TIMEOUT_S)
            except LinkError as err:
                refusal = err  # raised outside of the group, which would wrap it
            finally:
                writing.cancel()
                telling.cancel()
                session.end()
        if refusal is not None:
            raise refusal
        return goodbye

    def _welcome(self) -> dict[str, object]:
        return {
            "type": "welcome",
            "protocol": NEWEST_PROTOCOL,
            "oldest": OLDEST_PROTOCOL,
            "newest": NEWEST_PROTOCOL,
            "server_version": __version__,
            "server_id": self._server_id,
            "window": WINDOW,
            "max_rows": MAX_ROWS,
            "max_bytes": MAX_BYTES,
        }


async def _read_all(socket: web.WebSocketResponse, session: Session) -> bool:
    """Hand the client's messages to the session; True when it said goodbye, False when it went without."""
    while True:
        try:
            message = await _receive(socket)
        except LinkError as err:
            if err.closes:
                raise
            await _send(socket, err.answer())
            continue
        if message is None:
            return False
        if not await session.take(message):
            return True


async def _receive(socket: web.WebSocketResponse) -> Message | None:
    """Return the next message, or None when the client closed."""
    received: WSMessage = await socket.receive()
    if received.type is WSMsgType.TEXT:
        return decode(received.data)
    if received.type is WSMsgType.BINARY:
        raise LinkError("bad_message", "A message is text.")
    return None


async def _send(socket: web.WebSocketResponse, message: dict[str, object]) -> None:
    try:
        await socket.send_str(orjson.dumps(message).decode())
    except ClientConnectionResetError:
        _LOGGER.debug("The client closed before it was told %s", message["type"])

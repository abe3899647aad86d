"""The client's end of the Link: deliver the outbox in order, at least once, and answer what the server asks.

In:   sealed Batches and catalogs of the outbox, what `reconcile` answers.
Out:  what the server acknowledged is gone from the outbox; `status` says how things are, `on_status` that they changed.

A Batch leaves the outbox when the server says that it is stored. Everything else is a reason to wait and send it again,
with one exception: a message that the server cannot read even when it is the only one on its way is dropped with its
claim. Failures do not leave `start`: an outage is logged once, its end once; after an unknown error the task starts
again.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from time import monotonic, time
from typing import Any, Final, Protocol

from aiohttp import ClientSession

from .channel import Channel, Subject
from .connection import MAX_ROWS, Bulk, Connection
from .errors import PipelineError, RefusedError
from .handshake import Server, Welcome, open_link, refusal
from .model import Catalog, Site
from .outbox import Batch, Outbox
from .spans import Span
from .wire import Wire

LOGGER: Final = logging.getLogger(__name__)

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
LONGEST_WAIT_REFUSED_S: Final = 300.0
RESTART_S: Final = 60.0
DRAIN_S: Final = 3.0
CLOCK_AHEAD_S: Final = 60.0
"""A clock that was set forward by more than this is told to the server, which refuses what lies 10 minutes ahead."""

UNREADABLE: Final = frozenset({"bad_message", "too_large"})
STAYS_OPEN: Final = frozenset({"store_unavailable", "unknown_type"})
"""Errors that need no new connection: what is not acknowledged is kept, the rest goes on."""


class Reconciler(Protocol):
    """Whoever answers what the server asks of the past."""

    def want(self, gaps: Sequence[tuple[str, Span]]) -> None:
        """Replace the spans whose readings the server wants, by the keys of their Entities."""

    def request(self, kind: str, id_: int, keys: Sequence[str], span: Span | None) -> None:
        """Remember a request for something of these Entities."""

    def abandon(self, subject: Subject) -> None:
        """Leave out what the server cannot read."""

    async def run(self, channel: Channel) -> None:
        """Answer for as long as the connection stands."""


@dataclass(slots=True)
class LinkStatus:
    """How the Link is. `problem` is what keeps it down, or what the server complains of."""

    connected: bool = False
    welcome: Welcome | None = None
    problem: PipelineError | None = None
    outages: int = 0
    acknowledged: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class Link:
    """Keeps one connection to the server for as long as it runs."""

    def __init__(
        self,
        *,
        session: ClientSession,
        server: Server,
        site: Callable[[], Site],
        version: str,
        outbox: Outbox,
        reconciler: Reconciler,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        on_status: Callable[[], None],
        random: Random,
    ) -> None:
        """Connect nothing yet."""
        self._session = session
        self._server = server
        self._site = site
        self._version = version
        self._outbox = outbox
        self._reconciler = reconciler
        self._spawn = spawn
        self._on_status = on_status
        self._random = random
        self._task: asyncio.Task[None] | None = None
        self._restart: asyncio.TimerHandle | None = None
        self._connection: Connection | None = None
        self._progress = asyncio.Event()
        self._retry = asyncio.Event()
        self._down_since_s: float | None = None
        self._told_clock_s = 0.0
        self._standing_back = asyncio.Lock()
        self._careful = False
        self._closed = False
        self.status = LinkStatus()

    def start(self) -> None:
        """Connect, and stay connected, in a task of its own."""
        if self._closed:
            return
        self._task = self._spawn(self._run())
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Log an error that nobody expected, once, and begin again."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        LOGGER.error("The link failed in an unexpected way and starts again in a minute", exc_info=error)
        self._restart = asyncio.get_running_loop().call_later(RESTART_S, self.start)

    async def stop(self) -> None:
        """Deliver what is sealed if the server takes it in time, say goodbye, and disconnect."""
        if self._restart is not None:
            self._restart.cancel()
        if self._task is None:
            return
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._drain()
        except TimeoutError:
            LOGGER.debug("%s readings are still unacknowledged", len(self._outbox))
        self._task.cancel()
        await asyncio.wait([self._task])
        self._task = None

    async def close(self) -> None:
        """Stop for good."""
        self._closed = True
        await self.stop()

    @asynccontextmanager
    async def suspended(self) -> AsyncIterator[None]:
        """Leave the server alone for a moment, so that another connection of this Site can be tried."""
        async with self._standing_back:  # or each of two would start a task
            await self.stop()
            try:
                yield
            finally:
                self.start()

    async def renew(self) -> None:
        """Connect anew, because what `hello` says of this Site has changed."""
        async with self.suspended():
            pass

    def wake(self) -> None:
        """Look for something to send."""
        if self._connection is not None:
            self._connection.wake.set()

    def clock_set(self) -> None:
        """Try again at once where the clock was not believed, without what was heard by it: now it was set.

        A server that was greeted by a clock long behind would refuse readings of the present: greet it again.
        """
        if self.status.problem is not None and self.status.problem.code == "clock_behind":
            self._outbox.discard()
            self._retry.set()
        if self._connection is not None and _clock_s() - self._told_clock_s > CLOCK_AHEAD_S:
            self._connection.outdated.set()

    async def _drain(self) -> None:
        """Wait until everything sealed is acknowledged, or the connection is gone."""
        while self._connection is not None and (self._outbox.waiting or not self._connection.idle):
            self._progress.clear()
            await self._progress.wait()

    async def _run(self) -> None:
        """Connect again and again until cancelled; cancelling loses nothing."""
        wait_s = FIRST_WAIT_S
        while True:
            acknowledged = self.status.acknowledged
            try:
                await self._converse()
            except PipelineError as err:
                self._failed(err)
                longest_s = LONGEST_WAIT_REFUSED_S if isinstance(err, RefusedError) else LONGEST_WAIT_S
            else:
                continue
            if self.status.acknowledged > acknowledged:
                wait_s = FIRST_WAIT_S
            await self._pause(wait_s * self._random.uniform(0.5, 1.0))
            wait_s = min(wait_s * 2, longest_s)

    async def _pause(self, wait_s: float) -> None:
        self._retry.clear()
        try:
            async with asyncio.timeout(wait_s):
                await self._retry.wait()
        except TimeoutError:
            return

    def _failed(self, err: PipelineError, what: str = "No link to") -> None:
        """Say once per outage, not once per attempt, that readings do not get through."""
        self.status.problem = err
        if self._down_since_s is None:
            self._down_since_s = monotonic()
            self.status.outages += 1
            LOGGER.warning("%s %s, readings are kept: %s (%s)", what, self._server.url, err, err.code)
        self._on_status()

    def _recovered(self) -> None:
        """Say that the server stores readings again."""
        if self._down_since_s is not None:
            LOGGER.info("The link to %s is back after %.0f s", self._server.url, monotonic() - self._down_since_s)
        self._down_since_s = None
        self._careful = False
        if self.status.problem is not None:
            self.status.problem = None
            self._on_status()

    async def _converse(self) -> None:
        """Open one connection and work until it ends: by a PipelineError, or because it is outdated."""
        self._told_clock_s = _clock_s()
        async with open_link(self._session, self._server, self._site(), self._version) as (wire, welcome):
            connection = self._connection = Connection(
                1 if self._careful else welcome.window, min(welcome.max_rows, MAX_ROWS)
            )
            self.status.connected, self.status.welcome = True, welcome
            self._on_status()
            try:
                await self._work(connection, wire)
            except RefusedError as err:
                if err.code in UNREADABLE:
                    self._drop_unreadable(connection)
                raise
            finally:
                self._connection = None
                self._outbox.rewind()
                self._progress.set()
                self.status.connected = False
                self._on_status()

    async def _work(self, connection: Connection, wire: Wire) -> None:
        """Send, receive and reconcile at once; the first of them to fail ends all."""
        tasks = [
            asyncio.create_task(self._receive(connection, wire)),
            asyncio.create_task(self._send(connection, wire)),
            asyncio.create_task(wire.watch()),
            asyncio.create_task(_until(connection.outdated)),
            asyncio.create_task(self._reconcile(connection)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*done)

    async def _reconcile(self, connection: Connection) -> None:
        """Answer questions of the past for as long as the connection stands; an error there must not end it."""
        said: str | None = None
        while True:
            task = asyncio.create_task(self._reconciler.run(connection))
            try:
                await asyncio.wait([task])
            finally:
                task.cancel()
                await asyncio.wait([task])
            if (error := task.exception()) is not None and said != (said := repr(error)):
                LOGGER.error("Reconciling failed in an unexpected way and starts again in a minute", exc_info=error)
            await asyncio.sleep(RESTART_S)

    async def _send(self, connection: Connection, wire: Wire) -> None:
        while True:
            message = connection.next_message(self._outbox)
            if message is None:
                connection.wake.clear()
                await connection.wake.wait()
            else:
                await wire.send(message)

    async def _receive(self, connection: Connection, wire: Wire) -> None:
        while True:
            self._handle(connection, await wire.receive())

    def _handle(self, connection: Connection, message: dict[str, Any]) -> None:
        """Do what a message of the server asks for; one that is not known yet is passed over."""
        match message:
            case {"type": "ack", "seq": int(seq)}:
                self._acknowledged(connection, seq, message.get("refused"))
            case {"type": "request", "kind": "catalog"}:
                connection.catalog = None
                connection.wake.set()
            case {"type": "request", "id": int(id_), "kind": str(kind), "catalog": int(rev), "of": list(places)}:
                # of another catalog nothing is known, which is an answer, too
                catalog = _current(connection, rev)
                keys = [key for place in places if catalog is not None and (key := _key(catalog, place)) is not None]
                self._reconciler.request(kind, id_, keys, _span(message.get("span")))
            case {"type": "gaps", "catalog": int(rev), "gaps": list(gaps)}:
                if (catalog := _current(connection, rev)) is not None:
                    self._reconciler.want(_wanted(catalog, gaps))
            case {"type": "error", "code": str(code)}:
                error = refusal(message)
                if code not in STAYS_OPEN:
                    raise error
                if code == "store_unavailable":
                    self._failed(error, "Nothing is stored at")
                else:
                    self.status.problem = error
                    self._on_status()
            case _:
                LOGGER.debug("Passed over a message of the server: %s", message.get("type"))

    def _acknowledged(self, connection: Connection, seq: int, refused: object) -> None:
        for item in connection.settled(seq):
            if isinstance(item, Batch):
                self.status.acknowledged += item.count
                self._outbox.settle(item)
                self._recovered()
        if isinstance(refused, list) and refused:
            self.status.refused.update(str(row["code"]) for row in refused if isinstance(row, dict) and "code" in row)
            LOGGER.debug("The server refused rows: %s", refused)
        self._progress.set()
        if connection.wants_to_send(self._outbox):
            connection.wake.set()

    def _drop_unreadable(self, connection: Connection) -> None:
        """Find the message that the server cannot read: send one at a time, then drop the one that is on its way."""
        if not self._careful:
            self._careful = True
            return
        match connection.oldest:
            case Batch():
                LOGGER.error("The server cannot read a message; its readings are dropped, the recorder still has them")
                self._outbox.rewind()
                self._outbox.discard_oldest()
            case Bulk(subject=subject):
                LOGGER.error(
                    "The server cannot read %s of %s; they are left out", subject.kind, ", ".join(subject.keys)
                )
                self._reconciler.abandon(subject)
            case _:
                return


def _current(connection: Connection, rev: int) -> Catalog | None:
    """Return the catalog that a message refers to; what refers to another is repeated after the present one."""
    catalog = connection.catalog
    return catalog if catalog is not None and catalog.rev == rev else None


def _key(catalog: Catalog, place: object) -> str | None:
    return catalog.entities[place].key if isinstance(place, int) and 0 <= place < len(catalog.entities) else None


def _span(span: object) -> Span | None:
    match span:
        case [int(since_us), int(until_us)]:
            return Span(since_us, until_us)
        case _:
            return None


def _wanted(catalog: Catalog, gaps: list[Any]) -> list[tuple[str, Span]]:
    """Return the spans that the server wants; one of an unknown shape is passed over."""
    wanted: list[tuple[str, Span]] = []
    for gap in gaps:
        match gap:
            case {"place": place, "since_us": int(since_us), "until_us": int(until_us)}:
                if (key := _key(catalog, place)) is not None:
                    wanted.append((key, Span(since_us, until_us)))
            case _:
                LOGGER.debug("Passed over a gap: %s", gap)
    return wanted


async def _until(event: asyncio.Event) -> None:
    await event.wait()


def _clock_s() -> float:
    """Return by how much the wall clock is ahead of the monotonic one, which nobody sets."""
    return time() - monotonic()

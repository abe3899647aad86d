"""The two ends of the modelled path, the connection between them, and how what happens is made to happen.

Both ends run in one event loop, whose clock is the home's. A server that does not survive its work is started again.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

from homeassistant.helpers.json import json_bytes
from hypothesis.stateful import RuleBasedStateMachine

from custom_components.energy_dashboard.pipeline.connection import Connection
from custom_components.energy_dashboard.pipeline.model import Site
from custom_components.energy_dashboard.pipeline.outbox import Batch
from custom_components.energy_dashboard.pipeline.spans import Span
from tests.model.home import SECOND_US, Home, Running
from tests.model.server import Server
from tests.model.stores import Crash, Disk

SITE = Site("9f2b7c1e5a6d4f0f8b1f2c3d4e5f6a7b", "Home", "Europe/Amsterdam", "EUR", None, "2026.10.4")
WINDOW, MAX_ROWS = 16, 5
MANY = 100


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock is the home's, so that both ends live in the same time."""

    def __init__(self, home: Home) -> None:
        super().__init__(selectors.DefaultSelector())
        self._home = home

    def time(self) -> float:
        return self._home.monotonic_us / 1e6


class Path(RuleBasedStateMachine):
    """A home, a server, and at times a connection."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Home()
        self.runner = asyncio.Runner(loop_factory=lambda: Loop(self.home))
        self.server = Server(Disk())
        self.steps = 0
        """How often the clock was set."""
        self.doubts: list[tuple[int, int, int]] = []
        """Instants that come again by a clock that was set back, until the server was told; by which step."""
        self._sealed: dict[Batch, int] = {}
        """After how many steps Batches were sealed that are of before the last one."""

    @property
    def running(self) -> Running:
        """Home Assistant, which runs."""
        assert self.home.running is not None
        return self.home.running

    @property
    def connection(self) -> Connection | None:
        """The connection, if there is one."""
        return None if self.home.running is None else self.home.running.connection

    def survive(self, work: Coroutine[Any, Any, object]) -> bool:
        """Do work of the server; returns False when it did not survive it."""
        try:
            self.runner.run(work)
        except Crash:
            self.restart()
            return False
        return True

    def restart(self) -> None:
        self.cut()
        self.server = Server(self.server.disk)
        self.runner.run(self.server.start())

    def cut(self) -> None:
        if (running := self.home.running) is not None:
            running.connection = None
            running.outbox.rewind()
            running.gaps.disconnected()

    def go_away(self, how: str) -> None:
        if self.home.running is None:
            return
        if how == "kill":
            self.home.kill()
            return
        self.seal()
        self.exchange(MANY)
        self.home.stop()

    def seal(self) -> None:
        if self.home.seal():
            self.cut()  # the server is told the new time by a new connection

    def connect(self) -> None:
        hello = {"protocol": 1, "now_us": self.home.now_us, "site": SITE.message(), "integration_version": "0"}
        self.running.connection = Connection(WINDOW, MAX_ROWS)
        self.survive(self.server.greet(json_bytes({"type": "hello", **hello})))

    def exchange(self, most: int, *, answered: bool = True, reconciling: bool = False) -> None:
        """Send up to so many messages, and perhaps answer Gaps until nothing can be answered now."""
        if self.connection is None:
            return
        work = self._exchanged(self.running, self.connection, most, answered=answered, reconciling=reconciling)
        if self.survive(work) and self.server.refuses:
            self.cut()  # the clock is not believed: what was sent waits

    async def _exchanged(
        self, running: Running, connection: Connection, most: int, *, answered: bool, reconciling: bool
    ) -> None:
        answering = asyncio.create_task(_answer(running, connection)) if reconciling else None
        try:
            for _ in range(most):
                message = connection.next_message(running.outbox)
                while message is None and answering is not None and not answering.done():
                    await asyncio.sleep(0)
                    message = connection.next_message(running.outbox)
                if message is None or self.server.refuses:
                    break
                await self.server.take(message)
                self._told(connection)
                if answered:
                    self._settle(running, connection)
        finally:
            if answering is not None:
                answering.cancel()
                await asyncio.wait([answering])
        if answering is not None and not answering.cancelled():
            answering.result()

    def _told(self, connection: Connection) -> None:
        """Trust what was counted again from where the server knows that the clock was set back.

        Batches from before that may have been dropped: then only an audit finds what the recorder has of that time.
        """
        newest = connection._in_flight[-1][1]
        if isinstance(newest, Batch) and not self.server.refuses:
            self.trust(newest.span[0], self._sealed.get(newest, self.steps))

    def trust(self, since_us: int, steps: int) -> None:
        """Trust what comes again from an instant on, after so many steps: what the server knew of it is void."""
        doubts = [(since, min(until, since_us) if step <= steps else until, step) for since, until, step in self.doubts]
        self.doubts = [doubt for doubt in doubts if doubt[0] < doubt[1]]

    def waiting(self) -> dict[Batch, int]:
        """Return what is not acknowledged, and after how many steps it was sealed."""
        if self.home.running is None:
            return {}
        outbox = self.home.running.outbox
        return {batch: self._sealed.get(batch, self.steps) for batch in (*outbox._in_flight, *outbox._waiting)}

    def step(self) -> None:
        """The clock was set: what was sealed until now is of before."""
        self._sealed = self.waiting()
        self.steps += 1

    def _settle(self, running: Running, connection: Connection) -> None:
        done = max((message["seq"] for message in self.server.sent if message["type"] == "ack"), default=0)
        for item in connection.settled(done):
            if isinstance(item, Batch):
                running.outbox.settle(item)

    def reconcile(self, *, at_once: bool = False) -> None:
        """Answer all Gaps that were told, as far as they can be; those told anew are told at once."""
        if not at_once:
            self.home.pass_time(61 * SECOND_US)  # the server repeats itself no more often
        if self.connection is None or not self.survive(self.server.look()):
            return
        lists = [message for message in self.server.sent if message["type"] == "gaps"]
        catalog = self.connection.catalog
        if not lists or catalog is None or lists[-1]["catalog"] != catalog.rev:
            return
        wanted = [
            (catalog.entities[gap["place"]].key, Span(gap["since_us"], gap["until_us"])) for gap in lists[-1]["gaps"]
        ]
        self.running.gaps.want(wanted)
        self.exchange(10 * MANY, reconciling=True)


async def _answer(running: Running, connection: Connection) -> None:
    while await running.gaps.step(connection):
        pass

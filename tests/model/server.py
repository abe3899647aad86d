"""The real server end of the Link on a disk that is modelled: session, ingest, ledger, what is wanted.

In:   messages of a client, crashes.
Out:  acknowledgements and Gaps as they were sent; the Coverage.
"""

import asyncio
from typing import Any, cast

from energy_server.ledger.asked import Asked
from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.dirty import DirtyMarks
from energy_server.ledger.wanted import Wanted
from energy_server.link.events import LiveEvent
from energy_server.link.ingest import Stores
from energy_server.link.messages import Hello, decode
from energy_server.link.session import Session, Surroundings
from energy_server.link.status import LinkRecord
from energy_server.store.port import SeriesStore, StateStore
from tests.model.stores import Disk, Series, State


class Server:
    """A server that runs, perhaps with a connection."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.ledger: CoverageLedger
        self.session: Session | None = None
        self.sent: list[dict[str, Any]] = []

    async def start(self) -> None:
        """Begin with what the disk holds."""
        state = cast(StateStore, State(self.disk))
        series = cast(SeriesStore, Series(self.disk))
        self.ledger = CoverageLedger(state, self.disk.series_id)
        await self.ledger.load()
        dirty, asked = DirtyMarks(state), Asked()
        await dirty.load()
        stores = Stores(series, state, self.ledger, dirty, asked, _nobody)
        self._around = Surroundings(stores, Wanted(self.ledger, asked), _nobody, lambda: 0, 0.0)
        self.session = None

    async def greet(self, hello: bytes) -> None:
        """Begin a conversation."""
        message = decode(hello.decode())
        assert isinstance(message, Hello)
        self.sent = []
        self.session = Session(message, LinkRecord(), self._around, self._send)
        await self.session.begin()

    async def take(self, message: bytes) -> None:
        """Take a message and do all that it asks for."""
        assert self.session is not None
        await self.session.take(decode(message.decode()))
        await self.session.ingest.finish()
        await self.session.ingest.run()

    async def look(self) -> None:
        """Tell what is wanted now."""
        assert self.session is not None
        await self.session._wants.tell()
        await asyncio.sleep(0)

    @property
    def refuses(self) -> bool:
        """Whether it does not believe the clock of its client."""
        return self.session is not None and any(message["type"] == "error" for message in self.sent)

    async def believe(self, site: str) -> None:
        """Take the clock of the client as right, as the endpoint does when its user says so."""
        assert self.session is not None
        self.believed_us = self.session._clock.now_us()
        await self.ledger.void_after(site, self.believed_us)
        self.session = None

    async def _send(self, message: dict[str, object]) -> None:
        self.sent.append(message)


def _nobody(_event: LiveEvent) -> None:
    """No dashboard is open."""

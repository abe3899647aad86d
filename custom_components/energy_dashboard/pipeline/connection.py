"""One connection of the Link: its numbers, what is on its way, and what waits for room.

In:   Batches of the outbox, catalogs, bulk messages.
Out:  the next message to send, numbered; what an acknowledgement settles.
No failures: it decides, the link does.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from homeassistant.helpers.json import json_bytes

from .channel import Subject
from .model import Catalog
from .outbox import Batch, Outbox

BULK_IN_FLIGHT: Final = 3
"""What may be on its way beside the live path: a reading of the present waits behind so many messages at most."""
BULK_QUEUE: Final = 2
MAX_ROWS: Final = 5_000


@dataclass(slots=True, eq=False)
class Bulk:
    """A message beside the live path; `done` becomes True when it is stored, False if its catalog is not current."""

    subject: Subject
    catalog: Catalog
    kind: str
    body: bytes
    done: asyncio.Future[bool]


class Connection:
    """What one connection has sent and what it may send next."""

    def __init__(self, window: int, max_rows: int = MAX_ROWS) -> None:
        """Begin with the first number."""
        self.window = window
        self.max_rows = max_rows
        self.catalog: Catalog | None = None
        self.wake = asyncio.Event()
        self.outdated = asyncio.Event()
        self._seq = 0
        self._in_flight: deque[tuple[int, Batch | Bulk | Catalog]] = deque()
        self._unnumbered: deque[bytes] = deque()
        self._bulk: deque[Bulk] = deque()
        self._bulk_in_flight = 0
        self._bulk_room = asyncio.Semaphore(BULK_QUEUE)

    @property
    def idle(self) -> bool:
        """Whether everything sent is acknowledged."""
        return not self._in_flight

    @property
    def oldest(self) -> Batch | Bulk | Catalog | None:
        """Return the oldest message that is not acknowledged."""
        return self._in_flight[0][1] if self._in_flight else None

    def wants_to_send(self, outbox: Outbox) -> bool:
        """Whether there is anything that waits, perhaps for room."""
        return outbox.waiting or bool(self._bulk) or outbox.catalog is not self.catalog

    def next_message(self, outbox: Outbox) -> bytes | None:
        """Return what to send now, None if there is nothing or no room: the live path first, its catalog before it."""
        if self._unnumbered:
            return self._unnumbered.popleft()
        if len(self._in_flight) >= self.window or self.outdated.is_set():
            return None
        batch = outbox.peek()
        catalog = outbox.catalog if batch is None else batch.catalog
        if catalog is None:
            return None
        if catalog is not self.catalog:
            self.catalog = catalog
            return self._numbered("catalog", b'"rev":%d,"entities":%b}' % (catalog.rev, catalog.body), catalog)
        if batch is not None:
            outbox.take()
            return self._numbered("readings", b'"waiting":%d,%b' % (outbox.waiting_rows, batch.body), batch)
        return self._next_bulk()

    def _next_bulk(self) -> bytes | None:
        while self._bulk and self._bulk_in_flight < BULK_IN_FLIGHT:
            bulk = self._bulk.popleft()
            self._bulk_room.release()
            if bulk.done.done():
                continue
            if bulk.catalog is not self.catalog:
                bulk.done.set_result(False)
                continue
            self._bulk_in_flight += 1
            return self._numbered(bulk.kind, bulk.body, bulk)
        return None

    def _numbered(self, kind: str, body: bytes, item: Batch | Bulk | Catalog) -> bytes:
        """Return the message with its number and remember it until it is acknowledged."""
        self._seq += 1
        self._in_flight.append((self._seq, item))
        return b'{"type":"%b","seq":%d,%b' % (kind.encode(), self._seq, body)

    def settled(self, seq: int) -> Iterator[Batch | Bulk | Catalog]:
        """Forget everything up to this number and return it."""
        while self._in_flight and self._in_flight[0][0] <= seq:
            item = self._in_flight.popleft()[1]
            if isinstance(item, Bulk):
                self._bulk_in_flight -= 1
                if not item.done.done():
                    item.done.set_result(True)
            yield item

    def tell(self, message: dict[str, object]) -> None:
        """Send a message that has no number."""
        self._unnumbered.append(json_bytes(message))
        self.wake.set()

    async def post(self, subject: Subject, kind: str, body: bytes, catalog: Catalog) -> asyncio.Future[bool]:
        """Queue a bulk message as soon as there is room; the future tells what became of it."""
        await self._bulk_room.acquire()
        bulk = Bulk(subject, catalog, kind, body, asyncio.get_running_loop().create_future())
        self._bulk.append(bulk)
        self.wake.set()
        return bulk.done

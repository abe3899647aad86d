"""One connection of one Site, from its hello to its end.

In:   the client's messages.
Out:  answers; validated messages for `ingest`; live readings published as they arrive; the Site's status kept.
Failures: LinkError that closes the connection. Refusals that do not close are answered here.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from energy_server.errors import StoreUnavailableError
from energy_server.link.errors import LinkError
from energy_server.link.events import CatalogChanged, LiveEvent, ReadingsArrived
from energy_server.link.ingest import Accepted, Ingest, Stores
from energy_server.link.messages import (
    FUTURE_US,
    Catalog,
    Counts,
    Data,
    Digests,
    Goodbye,
    Hello,
    Message,
    Numbered,
    Readings,
    Recorder,
    Statistics,
    claimed_keys,
    readings,
    statistics,
)
from energy_server.link.status import Importing, LinkRecord, RecorderState, Trouble
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.reading import Origin
from energy_server.store.port import SyncEntry

_LOGGER = logging.getLogger(__name__)

CLOCK_BEHIND_US = 600_000_000
SOURCES = {"live": CoverageSource.LIVE, "recorder": CoverageSource.STATES, "import": CoverageSource.STATES}
CLOCK_BEHIND = "The clock of Home Assistant is {behind_min} minutes behind the newest reading. Set the clock."
OF_WHOLE_SITE = frozenset({CoverageSource.LIVE, CoverageSource.HA_OFF})
"""Claims for `all` that hold for each Entity from its own `since_us` on; the others name their Entities."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a connection needs of the server."""

    stores: Stores
    publish: Callable[[LiveEvent], None]
    now_us: Callable[[], int]
    commit_interval_s: float

    async def note(self, site: str, what: str, detail: str) -> None:
        """Write a line of the sync log; a store that is away costs the line, not the Link."""
        try:
            await self.stores.state.log(SyncEntry(self.now_us(), site, what, detail))
        except StoreUnavailableError as err:
            _LOGGER.debug("The sync log lacks a line (%s: %s): %s", what, detail, err)


class Session:
    """The conversation with one client after its hello."""

    def __init__(
        self,
        hello: Hello,
        record: LinkRecord,
        around: Surroundings,
        send: Callable[[dict[str, object]], Awaitable[None]],
    ) -> None:
        self._described = hello.described()
        self._site = hello.site.id
        self._record = record
        self._around = around
        self._send = send
        self._clock_offset_us = hello.now_us - _monotonic_us()
        self._seq = 0
        self._rev: int | None = None
        self._keys: list[str] = []
        self._requests = 0
        self._clock_refusal: LinkError | None = None
        self.ingest = Ingest(around.stores, around.commit_interval_s, around.now_us, send, self._tell_trouble)

    async def begin(self) -> None:
        """Judge the client's clock."""
        live_end_us = self._around.stores.ledger.live_end_us(self._site)
        behind_us = 0 if live_end_us is None else live_end_us - self._client_now_us()
        if behind_us > CLOCK_BEHIND_US:
            text = CLOCK_BEHIND.format(behind_min=behind_us // 60_000_000)
            self._clock_refusal = LinkError("clock_behind", text)
            await self._answer(self._clock_refusal)

    async def take(self, message: Message) -> bool:
        """Take the next message; False when it was the last one."""
        self._record.last_message_us = self._around.now_us()
        if isinstance(message, Goodbye):
            return False
        if isinstance(message, Hello):
            raise LinkError("bad_message", "A connection has one hello.")
        if isinstance(message, Recorder):
            self._record.recorder = RecorderState(message.state, message.oldest_us, message.detail)
            return True
        self._expect(message.seq)
        try:
            await self.ingest.put(self._accepted(message))
        except LinkError as err:
            if err.closes:
                raise
            self.ingest.refuse(message.seq)
            await self._answer(err)
        return True

    def _expect(self, seq: int) -> None:
        if seq != self._seq + 1:
            raise LinkError("bad_seq", f"Number {seq} came after number {self._seq}.")
        self._seq = seq

    def _accepted(self, message: Numbered) -> Accepted:
        if isinstance(message, Catalog):
            return self._accepted_catalog(message)
        if message.catalog != self._rev:
            raise LinkError("unknown_catalog", f"Catalog {message.catalog} is not the connection's. Send it again.")
        if isinstance(message, Readings):
            return self._accepted_readings(message)
        if isinstance(message, Statistics):
            return self._accepted_statistics(message)
        if isinstance(message, Counts | Digests):
            claimed_keys(message, self._keys)
            return Accepted(message.seq, self._site)
        source = CoverageSource.HA_OFF if message.reason == "ha_off" else CoverageSource.NONE
        return Accepted(message.seq, self._site, self._claims(message, source, message.reason), stored=self._imported)

    def _accepted_catalog(self, message: Catalog) -> Accepted:
        self._rev = message.rev
        self._keys = [entity.key for entity in message.entities]
        entities = [entity.described(self._site) for entity in message.entities]
        catalog = (self._described, entities)
        return Accepted(message.seq, self._site, catalog=catalog, stored=self._catalog_stored)

    def _accepted_readings(self, message: Readings) -> Accepted:
        live = message.origin == "live"
        if live and self._clock_refusal is not None:
            raise self._clock_refusal
        claims = self._claims(message, SOURCES[message.origin])
        batch, refused = readings(message, self._site, self._keys, self._client_now_us())
        self._record.refused.update(row.code for row in refused)
        if message.skipped is not None:
            self._record.skipped = message.skipped
        if len(batch) and batch.origin is Origin.LIVE:
            self._record.arrived(len(batch), self._around.now_us())
            self._around.publish(ReadingsArrived(self._site, batch.keys, batch.ts_us, batch.values))
        return Accepted(message.seq, self._site, claims, refused, readings=batch)

    def _accepted_statistics(self, message: Statistics) -> Accepted:
        claims = self._claims(message, CoverageSource.HOUR)
        columns, refused = statistics(message, self._keys, self._client_now_us())
        self._record.refused.update(row.code for row in refused)
        return Accepted(message.seq, self._site, claims, refused, statistics=columns, stored=self._imported)

    def _claims(self, message: Data, source: CoverageSource, reason: str | None = None) -> tuple[Claim, ...]:
        keys = claimed_keys(message, self._keys)
        latest_us = self._client_now_us() + FUTURE_US
        span = Span(min(message.span.since_us, latest_us), min(message.span.until_us, latest_us))
        if message.of is None and source in OF_WHOLE_SITE:
            return (Claim(self._site, source, span, None, reason),)
        return (Claim(self._site, source, span, tuple(keys), reason),) if keys else ()

    async def _catalog_stored(self) -> None:
        self._around.publish(CatalogChanged(self._site))
        await self._imported()
        settled = self._around.stores.ledger.settled_hours(self._site)
        of = [place for place, key in enumerate(self._keys) if key not in settled]
        if of:
            self._requests += 1
            request = {"type": "request", "id": self._requests, "kind": "statistics", "catalog": self._rev, "of": of}
            await self._send(request)

    async def _imported(self) -> None:
        settled = self._around.stores.ledger.settled_hours(self._site)
        done, total = len(settled.intersection(self._keys)), len(self._keys)
        if done < total:
            self._record.importing = Importing(done, total)
        elif self._record.importing is not None:
            self._record.importing = None
            await self._around.note(self._site, "imported", f"hourly statistics of {total} entities")

    async def _tell_trouble(self, err: StoreUnavailableError | None) -> None:
        if err is None:
            self._record.error = None
        else:
            await self._answer(LinkError(err.code, err.message))

    async def _answer(self, err: LinkError) -> None:
        self._record.error = Trouble(err.code, err.message)
        await self._send(err.answer())

    def _client_now_us(self) -> int:
        return _monotonic_us() + self._clock_offset_us


def _monotonic_us() -> int:
    return int(asyncio.get_running_loop().time() * 1e6)

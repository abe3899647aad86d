"""One connection of one Site, from its hello to its end.

In:   the client's messages.
Out:  answers; validated messages for `ingest`; live readings published as they arrive; the Site's status kept.
Failures: LinkError that closes the connection. Refusals that do not close are answered here.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from energy_server.errors import StoreUnavailableError
from energy_server.ledger.wanted import Wanted
from energy_server.link.accepted import Accepted
from energy_server.link.changes import changes, counted_anew
from energy_server.link.claims import of_rows
from energy_server.link.clock import ClientClock
from energy_server.link.errors import LinkError
from energy_server.link.events import CatalogChanged, LiveEvent, ReadingsArrived
from energy_server.link.ingest import Ingest, Stores
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
from energy_server.link.progress import followed
from energy_server.link.questions import Answer, Questions
from energy_server.link.status import Importing, LinkRecord, RecorderState, Trouble
from energy_server.link.wants import TELL_EVERY_S, Wants
from energy_server.model.audit import Counted, Digested
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.entity import Entity
from energy_server.model.reading import Origin
from energy_server.store.port import SyncEntry

_LOGGER = logging.getLogger(__name__)

HISTORY_US = 10 * 24 * 3_600_000_000
"""How far back a recorder reaches that has not said so."""
SOURCES = {"live": CoverageSource.LIVE, "recorder": CoverageSource.STATES, "import": CoverageSource.STATES}
OF_WHOLE_SITE = frozenset({CoverageSource.LIVE, CoverageSource.HA_OFF})
"""Claims for `all` that hold for each Entity from its own `since_us` on; the others name their Entities."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a connection needs of the server."""

    stores: Stores
    wanted: Wanted
    publish: Callable[[LiveEvent], None]
    now_us: Callable[[], int]
    commit_interval_s: float

    async def note(self, entry: SyncEntry) -> None:
        """Write a line of the sync log; a store that is away costs the line, not the Link."""
        try:
            await self.stores.state.log(entry)
        except StoreUnavailableError as err:
            _LOGGER.debug("The sync log lacks a line (%s: %s): %s", entry.what, entry.detail, err)


class Session:
    """The conversation with one client after its hello."""

    def __init__(
        self,
        hello: Hello,
        record: LinkRecord,
        around: Surroundings,
        send: Callable[[dict[str, object]], Awaitable[None]],
    ) -> None:
        stores = around.stores
        self._described = hello.described()
        self._site = hello.site.id
        self._record = record
        self._around = around
        self._send = send
        self._clock = record.clock = ClientClock(hello.now_us)
        record.lateness.greet(hello.now_us)
        self._seq = 0
        self._rev: int | None = None
        self._keys: list[str] = []
        self._entities: Sequence[Entity] = ()
        self._overflow: SyncEntry | None = None
        self._changes: list[str] = []
        self._told_trouble = False
        self._questions = Questions(send)
        self._wants = Wants(stores.ledger, stores.asked, around.wanted, self._questions, send)
        self.ingest = Ingest(stores, around.commit_interval_s, send, around.note, self._tell_trouble)

    async def begin(self) -> None:
        """Judge the client's clock."""
        self._clock.greet(self._around.stores.ledger.live_end_us(self._site))
        if self._clock.refusal is not None:
            await self._answer(self._clock.refusal)

    async def tell(self) -> None:
        """Tell the client what is wanted of it, until cancelled."""
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            await self._wants.tell()
            await self._follow()

    async def _follow(self) -> None:
        """Look how far the recorder's history is fetched: what it cannot have is no part of it."""
        record, now_us = self._record, self._around.now_us()
        oldest_us = record.recorder.oldest_us if record.recorder else None
        spans = self._wants.open(self._clock.now_us() - HISTORY_US if oldest_us is None else oldest_us)
        importing, before = record.importing is not None, record.progress
        record.progress = followed(before, spans, importing=importing, now_us=now_us)
        if before is not None and record.progress is None and before.span is not None:
            since_us, until_us = before.span.since_us, before.span.until_us
            entry = self._entry("reconciled", "nothing is lacking any more", since_us, until_us, before.rows)
            await self._around.note(replace(entry, source="recorder"))

    async def ask(self, kind: str, keys: Sequence[str], span: Span | None, within_s: float) -> Answer | None:
        """Ask the client, and wait for its answer; None where none came."""
        return await self._questions.ask(kind, keys, span, within_s)

    async def request_statistics(self, keys: Sequence[str], span: Span) -> None:
        """Ask for hourly statistics; they come, or not, as other messages do."""
        await self._questions.request("statistics", keys, span)

    def end(self) -> None:
        """Let go of who waits for an answer."""
        self._questions.close()

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
            if self._overflow is not None:
                entry, self._overflow = self._overflow, None
                await self._around.note(entry)
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
            return self._accepted_answer(message)
        source = CoverageSource.HA_OFF if message.reason == "ha_off" else CoverageSource.NONE
        return Accepted(message.seq, self._site, self._claims(message, source, message.reason), stored=self._imported)

    def _accepted_catalog(self, message: Catalog) -> Accepted:
        self._rev = message.rev
        self._keys = [entity.key for entity in message.entities]
        entities = [entity.described(self._site) for entity in message.entities]

        async def store() -> None:
            await self._store_catalog(entities)

        async def stored() -> None:
            await self._catalog_stored(message.rev)

        return Accepted(message.seq, self._site, store=store, stored=stored)

    def _accepted_readings(self, message: Readings) -> Accepted:
        if message.origin == "live":
            self._clock.check(message.span)
        claims = self._claims(message, SOURCES[message.origin])
        late, outage = self._judged(message, claims)
        told = [line for line in (self._clock_set(message), outage) if line is not None]
        batch, refused = readings(message, self._site, self._keys, self._clock.now_us())
        self._note_outbox(message, refused=[row.code for row in refused])
        if len(batch) and batch.origin is Origin.LIVE:
            self._record.arrived(len(batch), self._around.now_us())
            self._around.publish(ReadingsArrived(self._site, batch.keys, batch.ts_us, batch.values))
        elif self._record.progress is not None:
            self._record.progress.rows += len(batch)
        return Accepted(message.seq, self._site, claims, refused, readings=batch, late=late, lines=told)

    def _judged(self, message: Readings, claims: Sequence[Claim]) -> tuple[Span | None, SyncEntry | None]:
        """Return what of a live claim came late, and a line of the outage that is over with it."""
        if not any(claim.live for claim in claims):
            return None, None
        lateness = self._record.lateness
        late = lateness.late(message.span, len(message.rows), self._clock.now_us())
        outage = lateness.over(message.span)
        if outage is None or not outage.told:
            return late, None
        detail = "kept by Home Assistant until they could be sent"
        line = self._entry("late", detail, outage.since_us, outage.until_us, outage.rows)
        return late, replace(line, source="outbox")

    def _clock_set(self, message: Readings) -> SyncEntry | None:
        """Return a line of the clock that was set before a message: what it skipped, or had shown before."""
        step_us = message.stepped_us
        if not step_us:
            return None
        how = "forward, or its machine slept, by" if step_us > 0 else "back by"
        detail = f"the clock of Home Assistant was set {how} {abs(step_us) / 1e6:.0f} s"
        since_us, until_us = sorted((max(0, message.span.since_us - step_us), message.span.since_us))
        return self._entry("clock", detail, since_us, until_us)

    def _note_outbox(self, message: Readings, refused: Sequence[str]) -> None:
        record = self._record
        if message.dropped is not None and message.dropped > (record.dropped or 0):
            since_us = self._around.stores.ledger.live_end_us(self._site)
            rows = message.dropped - (record.dropped or 0)
            detail = f"Home Assistant had to drop {rows} readings that waited; they are fetched from its recorder"
            self._overflow = self._entry("outbox_full", detail, since_us, message.span.since_us, rows)
        record.refused.update(refused)
        record.skipped = record.skipped if message.skipped is None else message.skipped
        record.waiting = record.waiting if message.waiting is None else message.waiting
        record.dropped = record.dropped if message.dropped is None else message.dropped

    def _accepted_statistics(self, message: Statistics) -> Accepted:
        columns, refused = statistics(message, self._keys, self._clock.now_us())
        claims = of_rows(self._claims(message, CoverageSource.HOUR), columns)
        self._record.refused.update(row.code for row in refused)
        return Accepted(message.seq, self._site, claims, refused, statistics=columns, stored=self._imported)

    def _accepted_answer(self, message: Counts | Digests) -> Accepted:
        """Pass an answer on as soon as everything that came before it is stored."""
        keys, all_keys = claimed_keys(message, self._keys), self._keys
        if any(row[0] >= len(all_keys) for row in message.rows):
            raise LinkError("bad_message", "names a place that the catalog does not have", field="rows")
        answer: Answer
        if isinstance(message, Counts):
            answer = Counted(message.span, tuple(keys), {(all_keys[at], hour): n for at, hour, n in message.rows})
        else:
            answer = Digested(tuple(keys), {(all_keys[at], span): text for at, span, text in message.rows})

        async def stored() -> None:
            self._questions.answered(message.id, answer)

        return Accepted(message.seq, self._site, stored=stored)

    def _claims(self, message: Data, source: CoverageSource, reason: str | None = None) -> tuple[Claim, ...]:
        keys = claimed_keys(message, self._keys)
        latest_us = self._clock.now_us() + FUTURE_US
        span = Span(min(message.span.since_us, latest_us), min(message.span.until_us, latest_us))
        if message.of is None and source in OF_WHOLE_SITE:
            return (Claim(self._site, source, span, None, reason),)
        return (Claim(self._site, source, span, tuple(keys), reason),) if keys else ()

    async def _store_catalog(self, entities: Sequence[Entity]) -> None:
        """Make a catalog durable; who is no longer in it left where live Coverage, which it was part of, ends."""
        stores = self._around.stores
        state, ledger = stores.state, stores.ledger
        known = await state.entities(self._site)
        self._changes = changes(known, entities)
        self._entities = await ledger.adopt(self._site, known, entities)
        left_us = ledger.live_end_us(self._site)
        if left_us is None:  # claims that follow may begin long before now: none of them is of who left
            left_us = min((entity.since_us for entity in known), default=self._clock.now_us())
        await state.save_site(self._described)
        async with counted_anew(stores, self._site, known, self._entities):
            await state.save_catalog(self._site, self._entities, left_us)

    async def _catalog_stored(self, rev: int) -> None:
        self._around.publish(CatalogChanged(self._site))
        for change in self._changes:
            await self._note("changed", change)
        await self._imported()
        if rev == self._rev:  # else the next one follows, and places already refer to it
            self._questions.catalog(rev, [entity.key for entity in self._entities])
            await self._wants.catalog(rev, self._entities)

    async def _imported(self) -> None:
        done, total = sum(map(self._around.wanted.imported, self._entities)), len(self._entities)
        if done < total:
            self._record.importing = Importing(done, total)
        elif self._record.importing is not None:
            self._record.importing = None
            await self._note("imported", f"hourly statistics of {total} entities")

    async def _note(self, what: str, detail: str) -> None:
        await self._around.note(self._entry(what, detail))

    def _entry(
        self, what: str, detail: str, since_us: int | None = None, until_us: int | None = None, rows: int | None = None
    ) -> SyncEntry:
        return SyncEntry(self._around.now_us(), self._site, what, detail, since_us, until_us, rows)

    async def _tell_trouble(self, err: StoreUnavailableError | None) -> None:
        told, self._told_trouble = self._told_trouble, err is not None
        if err is None:
            _LOGGER.info("Readings are stored again")
            self._record.error = None
        elif told:  # what it fails with next may say better what is wrong
            self._record.error = Trouble(err.code, err.message)
        else:
            _LOGGER.warning("Readings cannot be stored, trying again: %s", err)
            await self._answer(LinkError(err.code, err.message))

    async def _answer(self, err: LinkError) -> None:
        self._record.error = Trouble(err.code, err.message)
        await self._send(err.answer())

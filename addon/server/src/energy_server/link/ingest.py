"""Write, then acknowledge: the messages of one connection, in their order.

In:   validated messages, each with its number and its claim.
Out:  their data durable, then their claims recorded, then one acknowledgement for all of them.
Failures: none but a defect in storing a catalog. While a store is unavailable nothing is acknowledged, the client is
told once, and the same work is tried again until it succeeds; all of it may be repeated. Rows that cannot be stored for
a reason that nobody expected are refused, see `isolate`: else they would be sent again for ever.

Consecutive readings are written in one step (group commit): at once when the last commit is long enough ago, else when
enough of them wait. Only live readings are made to wait, not other messages and not claims alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from energy_server.errors import StoreUnavailableError
from energy_server.ledger.asked import Asked
from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.dirty import DirtyMarks
from energy_server.ledger.spans import difference, union
from energy_server.link.accepted import Accepted
from energy_server.link.events import LiveEvent, StatisticsStored
from energy_server.link.isolate import write_what_can
from energy_server.model.reading import Origin
from energy_server.model.statistic import HOUR_US, Level, Source, StatisticColumns
from energy_server.store.port import SeriesStore, StateStore, SyncEntry

WINDOW = 64
ENOUGH_ROWS = 4_000
MOST_ROWS = 100_000
"""A backfill is written in such steps: smaller ones would make QuestDB merge the same days again and again."""
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the data of messages goes, and who is told."""

    series: SeriesStore
    state: StateStore
    ledger: CoverageLedger
    dirty: DirtyMarks
    asked: Asked
    publish: Callable[[LiveEvent], None]


@dataclass(slots=True)
class _Group:
    messages: list[Accepted] = field(default_factory=list)
    rows: int = 0

    def add(self, message: Accepted) -> None:
        self.messages.append(message)
        self.rows += len(message.readings or ())


class Ingest:
    """The queue of one connection, and the task that empties it."""

    def __init__(
        self,
        stores: Stores,
        commit_interval_s: float,
        send: Callable[[dict[str, object]], Awaitable[None]],
        note: Callable[[SyncEntry], Awaitable[None]],
        trouble: Callable[[StoreUnavailableError | None], Awaitable[None]],
    ) -> None:
        self._stores = stores
        self._commit_interval_s = commit_interval_s
        self._send = send
        self._note = note
        self._trouble = trouble
        self._queue: asyncio.Queue[Accepted | None] = asyncio.Queue(WINDOW)
        self._held: Accepted | None = None
        self._last_commit_s = float("-inf")
        self._refused_seq: int | None = None
        self._told: set[str] = set()

    async def put(self, message: Accepted) -> None:
        """Queue a message; waits while the window is full."""
        await self._queue.put(message)

    def refuse(self, seq: int) -> None:
        """Never acknowledge this message, nor, as acknowledgements are cumulative, any after it."""
        if self._refused_seq is None:
            self._refused_seq = seq

    async def finish(self) -> None:
        """Let `run` end when everything that was queued is durable."""
        await self._queue.put(None)

    async def run(self) -> None:
        """Make messages durable and acknowledge them until `finish`."""
        while messages := await self._next_group():
            messages = await self._until_durable(partial(write_what_can, messages, self._write, self._told))
            if any(message.readings for message in messages):
                self._last_commit_s = asyncio.get_running_loop().time()
            for message in messages:
                for line in message.lines:
                    await self._note(line)
            await self._acknowledge(messages)
            for message in messages:
                if message.stored is not None:
                    await message.stored()

    async def _next_group(self) -> list[Accepted]:
        """Return one message, or consecutive ones with readings; none at the end."""
        first = self._held or await self._queue.get()
        self._held = None
        group = _Group()
        while first is not None:
            group.add(first)
            if first.readings is None or group.rows >= MOST_ROWS:
                break
            following = await self._following(group)
            if following is None or following.readings is None:
                self._held = following
                break
            first = following
        return group.messages

    async def _following(self, group: _Group) -> Accepted | None:
        """Return the next message, waiting for it only while the group need not be written yet."""
        if not self._queue.empty():
            return self._taken(self._queue.get_nowait())
        live = all(
            message.readings is not None and message.readings.origin is Origin.LIVE for message in group.messages
        )
        due_s = self._last_commit_s + self._commit_interval_s
        in_time = group.rows and group.rows < ENOUGH_ROWS and asyncio.get_running_loop().time() < due_s
        if not live or not in_time:
            return None
        try:
            async with asyncio.timeout_at(due_s):
                return self._taken(await self._queue.get())
        except TimeoutError:
            return None

    def _taken(self, message: Accepted | None) -> Accepted | None:
        if message is None:
            self._queue.put_nowait(None)  # the end is for the next group to see
        return message

    async def _until_durable[T](self, write: Callable[[], Awaitable[T]]) -> T:
        told = ""
        while True:
            try:
                written = await write()
            except StoreUnavailableError as err:
                if err.message != told:
                    await self._trouble(err)
                    told = err.message
                await asyncio.sleep(RETRY_S)
                continue
            break
        if told:
            await self._trouble(None)
        return written

    async def _write(self, messages: Sequence[Accepted]) -> None:
        stores = self._stores
        batches = [message.readings for message in messages if message.readings]
        claims = [claim for message in messages for claim in message.claims]
        async with stores.dirty.marked(batches, claims):
            await self._note_late(messages)
            if batches:
                await stores.series.append(batches)
            for message in messages:
                if message.statistics is not None:
                    await self._import(message.site, message.statistics)
                if message.store is not None:
                    await message.store()
            for claim in claims:
                await stores.ledger.record(claim)
        for message in messages:
            stores.asked.settle(message.claims, len(message.readings or ()))

    async def _note_late(self, messages: Sequence[Accepted]) -> None:
        """Note what comes late, before it is stored: who counts it then knows how it came."""
        ledger, site = self._stores.ledger, messages[0].site
        claimed = [claim.span for message in messages for claim in message.claims if claim.live]
        if not claimed:
            return
        came = union(message.late for message in messages if message.late is not None)
        late = difference(came, ledger.live_spans(site)) if came else []  # what was sent again is known since then
        await ledger.late.take(site, late, difference(union(claimed), came))

    async def _import(self, site: str, rows: StatisticColumns) -> None:
        await self._stores.series.put_statistics(site, Level.HOUR, Source.IMPORT, rows)
        if len(rows):
            start_us, last_us = int(rows.start_us.min()), int(rows.start_us.max())
            self._stores.publish(StatisticsStored(site, start_us, last_us + HOUR_US))

    async def _acknowledge(self, messages: Sequence[Accepted]) -> None:
        settled = [message for message in messages if self._refused_seq is None or message.seq < self._refused_seq]
        if settled:
            refused = [
                {"seq": message.seq, "row": row, "code": code} for message in settled for row, code in message.refused
            ]
            await self._send({"type": "ack", "seq": settled[-1].seq, "refused": refused})

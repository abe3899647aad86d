"""The SeriesStore on QuestDB: the port put together from its parts.

In:   calls of the port, from one event loop.
Out:  their results. Reads go over a few connections; readings and Statistics are written over one each, in threads.
Failures: StoreUnavailableError. Connections that break are made anew by the next call.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from time import time_ns

import numpy as np

from energy_server.errors import StoreUnavailableError
from energy_server.model.reading import Reading, ReadingBatch, ReadingSlice, ReducedSlice
from energy_server.model.statistic import VALUE_COLUMNS, Level, Source, StatisticColumns
from energy_server.store.port import Loss, StoreInfo
from energy_server.store.questdb import health, queries, schema, statistics
from energy_server.store.questdb.absent import absent
from energy_server.store.questdb.address import QuestDBAddress
from energy_server.store.questdb.connection import Connections
from energy_server.store.questdb.failures import advice
from energy_server.store.questdb.health import Guard, Look
from energy_server.store.questdb.rows import NewRow, Pair, from_batches, last_of_each, new_rows
from energy_server.store.questdb.schema import READINGS, SERIES, STATISTICS
from energy_server.store.questdb.series import SeriesIndex
from energy_server.store.questdb.writing import Writer

INFO_WITHIN_S = 8.0

_CLOSED = "The store is closed."
NOT_SYNCHRONOUS = (
    "QuestDB does not wait for the disk, so a power cut may lose the last seconds: start it with "
    "QDB_CAIRO_COMMIT_MODE=sync."
)


class _Opened:
    """What exists while the store is open."""

    def __init__(self, address: QuestDBAddress) -> None:
        self.connections = Connections(address)
        self.guard = Guard(self.connections, address)
        self.readings = Writer(address, "questdb-readings", self.guard.check)
        self.statistics = Writer(address, "questdb-statistics", self.guard.check)
        self.series = SeriesIndex()
        self.store_id = ""
        self.opening_partitions: asyncio.Task[None] | None = None
        self.look: Look | None = None

    async def open(self) -> None:
        await self.connections.open()
        with suppress(StoreUnavailableError):  # what is still wrong is found next
            await self.guard.resume()
        self.store_id = await schema.prepare(self.connections.fetch, self.readings.write)
        await self.guard.opened(self.store_id)
        for table in (READINGS, SERIES, STATISTICS):  # what an earlier run wrote last
            self.connections.wrote(table)
            await self.connections.visible(table)
        if await schema.is_emptied(self.connections.fetch):
            self.store_id = self.guard.store_id = await schema.void(self.connections.fetch)
        await self.series.load(self.connections)
        self.opening_partitions = asyncio.create_task(self._open_partitions())

    async def write(self, writer: Writer, rows: Callable[[], Iterable[NewRow]]) -> None:
        """Store rows in the tables that were opened, and in no others."""
        await self.guard.same()
        await writer.write(rows)
        await self.guard.same()

    async def looked(self) -> Look:
        """Return what a look finds within INFO_WITHIN_S; one that takes longer goes on, and the next call waits for it.

        It is not cancelled: asyncpg would wait for QuestDB to agree.
        """
        if self.look is None or self.look.task.done():
            self.look = Look(self.connections, self.guard)
        done, _ = await asyncio.wait({self.look.task}, timeout=INFO_WITHIN_S)
        for task in done:
            task.result()
        return self.look

    async def _open_partitions(self) -> None:
        if (key := self.series.any_key()) is not None:
            with suppress(StoreUnavailableError):  # then they are opened one by one, as they are asked for
                await queries.open_partitions(self.connections, key)

    async def close(self) -> None:
        if self.opening_partitions is not None:
            self.opening_partitions.cancel()
            await asyncio.wait([self.opening_partitions])
        await self.readings.close()
        await self.statistics.close()
        await self.connections.close()
        if self.look is not None:
            await asyncio.wait({self.look.task})


class QuestDBSeriesStore:
    """Readings and Statistics in QuestDB. See `store.port.SeriesStore`."""

    def __init__(self, address: QuestDBAddress) -> None:
        self._address = address
        self._opened: _Opened | None = None
        self._trouble = _CLOSED
        self._appending = asyncio.Lock()
        self._last_write_us: int | None = None

    @property
    def store_id(self) -> str:
        """The random id of the store; StoreUnavailableError before it was opened."""
        return self._open_one().store_id

    async def open(self) -> None:
        """Connect, make or migrate the tables, and learn the latest readings."""
        if self._opened is not None:
            return
        opened = _Opened(self._address)
        try:
            await opened.open()
        except StoreUnavailableError as err:
            self._trouble = err.message
            await opened.close()
            raise
        self._opened = opened

    async def close(self) -> None:
        """Finish what is under way and disconnect."""
        opened, self._opened = self._opened, None
        self._trouble = _CLOSED
        if opened is not None:
            await opened.close()

    async def append(self, batches: Sequence[ReadingBatch]) -> None:
        """Store readings."""
        opened = await self._writable()
        async with self._appending:
            rows = await absent(opened.connections, opened.series, from_batches(batches))
            if not len(rows):
                return
            unlisted = opened.series.unlisted(rows.pairs)
            opened.series.expect(rows)
            try:
                await opened.write(opened.readings, lambda: chain(_listing(unlisted), new_rows(READINGS, rows)))
            finally:  # a write that failed may be stored all the same
                opened.connections.wrote(READINGS)
            opened.series.list_(unlisted)
            opened.series.advance(last_of_each(rows))
        self._last_write_us = time_ns() // 1000

    async def read(self, site: str, key: str, start_us: int, end_us: int) -> ReadingSlice:
        """Return the readings of one Entity in the span."""
        return await queries.span(await self._readable(READINGS), site, key, start_us, end_us)

    async def read_many(self, site: str, keys: Sequence[str], start_us: int, end_us: int) -> dict[str, ReadingSlice]:
        """Return the readings of several Entities in a short span."""
        return await queries.spans(await self._readable(READINGS), site, keys, start_us, end_us)

    async def before(self, site: str, key: str, ts_us: int) -> ReadingSlice:
        """Return the last reading before the instant, and if it is null also the last with a value."""
        latest = self._open_one().series.latest(site, key)
        if latest is not None and latest.ts_us < ts_us and not np.isnan(latest.value):
            return latest.as_slice()
        return await queries.before(await self._readable(READINGS), site, key, ts_us)

    async def after(self, site: str, key: str, ts_us: int) -> ReadingSlice:
        """Return the first reading at or after the instant, and if it is null also the first with a value."""
        latest = self._open_one().series.latest(site, key)
        if latest is None or latest.ts_us < ts_us:
            return queries.EMPTY
        return await queries.after(await self._readable(READINGS), site, key, ts_us)

    async def reduce(self, site: str, key: str, start_us: int, end_us: int, buckets: int) -> ReducedSlice:
        """Return the readings of one Entity reduced to buckets."""
        return await queries.reduce(await self._readable(READINGS), site, key, (start_us, end_us), buckets)

    async def latest(self, site: str) -> dict[str, Reading]:
        """Return the newest reading of every Entity of the Site."""
        return self._open_one().series.of_site(site)

    async def counts(self, site: str, keys: Sequence[str], start_us: int, end_us: int) -> dict[tuple[str, int], int]:
        """Return how many readings of the span each Entity has in each UTC hour."""
        return await queries.counts(await self._readable(READINGS), site, keys, start_us, end_us)

    async def put_statistics(self, site: str, level: Level, source: Source, rows: StatisticColumns) -> None:
        """Insert or replace Statistics."""
        opened = await self._writable()
        if not len(rows):
            return
        try:
            await opened.write(opened.statistics, lambda: statistics.new_rows(site, level, source, rows))
        finally:  # a write that failed may be stored all the same
            opened.connections.wrote(STATISTICS)
        self._last_write_us = time_ns() // 1000

    async def statistics(
        self,
        site: str,
        keys: Sequence[str],
        level: Level,
        source: Source,
        start_us: int,
        end_us: int,
        columns: Sequence[str] = VALUE_COLUMNS,
    ) -> StatisticColumns:
        """Return the Statistics of these Entities in the span."""
        wanted = statistics.Wanted(site, list(keys), level, source, start_us, end_us, columns)
        return await statistics.read(await self._readable(STATISTICS), wanted)

    async def info(self) -> StoreInfo:
        """Return how the store is."""
        opened = self._opened
        if opened is None:
            return self._info(health.Figures(0, 0, 0), self._trouble)
        look = await opened.looked()
        trouble = look.trouble or opened.guard.trouble
        if trouble is None and not look.answered:
            trouble = advice(TimeoutError(), self._address)
        version, note = opened.connections.version, None if look.synchronous else NOT_SYNCHRONOUS
        return self._info(opened.guard.figures, trouble, note, version, look.lag_rows)

    def _info(
        self,
        figures: health.Figures,
        trouble: str | None,
        note: str | None = None,
        version: str = "",
        lag_rows: int = 0,
    ) -> StoreInfo:
        return StoreInfo(
            backend="questdb",
            version=version,
            well=trouble is None,
            detail=trouble or note,
            readings=figures.readings,
            statistics=figures.statistics,
            size_bytes=figures.size_bytes,
            free_bytes=None,
            last_write_us=self._last_write_us,
            lag_rows=lag_rows,
        )

    async def upkeep(self) -> str | None:
        """Resume what QuestDB suspended, and see whether the tables are still what they were."""
        opened = self._open_one()
        await opened.guard.resume()
        await opened.guard.check()
        return opened.guard.told()

    async def rest(self) -> None:
        """Do nothing: the memory of what was read is QuestDB's."""

    async def losses(self) -> Sequence[Loss]:
        """Return nothing: QuestDB gives a table whole, or not at all."""
        return ()

    async def forget(self, loss: Loss) -> None:
        """Do nothing, since nothing is ever lost."""

    def _open_one(self) -> _Opened:
        opened = self._opened
        if opened is None:
            raise StoreUnavailableError(self._trouble)
        return opened

    async def _writable(self) -> _Opened:
        """Return the open store when nothing is known to be wrong with it."""
        opened = self._open_one()
        await opened.guard.pass_()
        return opened

    async def _readable(self, table: str) -> Connections:
        """Return the connections when they show all that was written."""
        opened = await self._writable()
        try:
            await opened.connections.visible(table)
        except StoreUnavailableError as err:
            opened.guard.found(err.message)
            raise
        return opened.connections


def _listing(unlisted: Sequence[Pair]) -> Iterator[NewRow]:
    for site, key in unlisted:
        yield SERIES, {"site": site, "key": key}, {}, 0

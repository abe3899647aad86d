"""The SeriesStore on DuckDB: the port put together from its parts, and recovery after a failure.

In:   calls of the port, from the event loop.
Out:  their results; the work is done in threads: one that writes readings, one that writes Statistics, one that sorts,
a few that read.
Failures: StoreUnavailableError. After one that DuckDB does not survive, the next call opens the store anew.
"""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import time_ns

import duckdb
import numpy as np
from numpy.typing import NDArray

from energy_server.errors import StoreUnavailableError
from energy_server.model.reading import Reading, ReadingBatch, ReadingSlice, ReducedSlice
from energy_server.model.statistic import VALUE_COLUMNS, Level, Source, StatisticColumns
from energy_server.settings import MEMORY_LIMIT_MB
from energy_server.store.duckdb import queries
from energy_server.store.duckdb.columns import by_month, from_batches, last_of_each, month_of, one_row_per_instant
from energy_server.store.duckdb.instance import Instance
from energy_server.store.duckdb.statistics import Rows, Wanted
from energy_server.store.duckdb.upkeep import Threads, Thresholds, Upkeep
from energy_server.store.port import Loss, StoreInfo

READERS = 2
_USUAL = Thresholds()


def now_us() -> int:
    """Return the system's clock, epoch microseconds."""
    return time_ns() // 1_000


class DuckDBSeriesStore:
    """Readings and Statistics in a folder. See `store.port.SeriesStore`."""

    def __init__(
        self,
        folder: Path,
        memory_limit_mb: int = MEMORY_LIMIT_MB,
        *,
        thresholds: Thresholds = _USUAL,
        clock_us: Callable[[], int] = now_us,
    ) -> None:
        self._folder = folder
        self._clock_us = clock_us
        self._writer = ThreadPoolExecutor(1, "store-write")
        self._statistician = ThreadPoolExecutor(1, "store-statistics")
        self._readers = ThreadPoolExecutor(READERS, "store-read")
        self._instance = Instance(folder, memory_limit_mb)
        threads = Threads(self._writer, self._statistician, ThreadPoolExecutor(1, "store-sort"))
        self._upkeep = Upkeep(self._instance, threads, lambda: month_of(clock_us()), thresholds)
        self._last_write_us: int | None = None

    @property
    def store_id(self) -> str:
        """The random id of the store; StoreUnavailableError before it was opened."""
        opened = self._instance.opened
        if opened is None:
            raise StoreUnavailableError(self._instance.trouble)
        return opened.store_id

    async def open(self) -> None:
        """Open or create the store."""
        self._instance.want(open_=True)
        await self._in(self._writer, self._instance.open)

    async def close(self) -> None:
        """Finish what is under way, checkpoint, and let go of the files."""
        self._instance.want(open_=False)
        await self._in(self._writer, self._instance.close)

    async def append(self, batches: Sequence[ReadingBatch]) -> None:
        """Store readings."""
        await self._in(self._writer, self._append, batches)

    async def read(self, site: str, key: str, start_us: int, end_us: int) -> ReadingSlice:
        """Return the readings of one Entity in the span."""
        return await self._in(self._readers, self._read, site, key, start_us, end_us)

    async def read_many(self, site: str, keys: Sequence[str], start_us: int, end_us: int) -> dict[str, ReadingSlice]:
        """Return the readings of several Entities in a short span."""
        return await self._in(self._readers, self._read_many, site, list(keys), start_us, end_us)

    async def before(self, site: str, key: str, ts_us: int) -> ReadingSlice:
        """Return the last reading before the instant, and if it is null also the last with a value."""
        return await self._in(self._readers, self._before, site, key, ts_us)

    async def after(self, site: str, key: str, ts_us: int) -> ReadingSlice:
        """Return the first reading at or after the instant, and if it is null also the first with a value."""
        return await self._in(self._readers, self._after, site, key, ts_us)

    async def reduce(self, site: str, key: str, start_us: int, end_us: int, buckets: int) -> ReducedSlice:
        """Return the readings of one Entity reduced to buckets."""
        return await self._in(self._readers, self._reduce, site, key, start_us, end_us, buckets)

    async def counts(self, site: str, keys: Sequence[str], start_us: int, end_us: int) -> dict[tuple[str, int], int]:
        """Return how many readings each Entity has in each UTC hour."""
        return await self._in(self._readers, self._counts, site, list(keys), start_us, end_us)

    async def latest(self, site: str) -> dict[str, Reading]:
        """Return the newest reading of every Entity of the Site."""
        opened = self._instance.opened
        if opened is None:
            opened = await self._in(self._writer, self._instance.open)
        newest: dict[str, Reading] = {}
        for key, number in list(opened.series.of_site(site).items()):
            row = opened.series.latest(number)
            if len(row):
                value = float(row.value[0])
                newest[key] = Reading(key, int(row.ts[0]), None if np.isnan(value) else value)
        return newest

    async def put_statistics(self, site: str, level: Level, source: Source, rows: StatisticColumns) -> None:
        """Insert or replace Statistics."""
        if len(rows):
            await self._in(self._statistician, self._put_statistics, site, level, source, rows)

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
        span = (start_us, end_us)
        return await self._in(self._readers, self._statistics, site, list(keys), (level, source), span, columns)

    async def info(self) -> StoreInfo:
        """Return how the store is."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._info)

    async def upkeep(self) -> str | None:
        """Do the next piece of upkeep."""
        return await self._upkeep.run()

    async def rest(self) -> None:
        """Give back the memory of the buffers, if nobody uses the store just now."""
        await self._in(self._readers, self._instance.rest)

    async def losses(self) -> Sequence[Loss]:
        """Return the months whose files were set aside."""
        opened = self._instance.opened
        return () if opened is None else opened.months.lost.all()

    async def forget(self, loss: Loss) -> None:
        """Forget the loss of a month."""
        await self._in(self._writer, self._forget, loss)

    async def _in[*P, R](self, executor: ThreadPoolExecutor, work: Callable[[*P], R], *args: *P) -> R:
        return await asyncio.get_running_loop().run_in_executor(executor, work, *args)

    # What follows runs in threads.

    def _append(self, batches: Sequence[ReadingBatch]) -> None:
        wanted = [(batch.site, key) for batch in batches for key in dict.fromkeys(batch.keys)]
        if not wanted:
            return
        with self._instance.using() as (opened, cursor):
            series = opened.series
            series.register(cursor, wanted)
            columns = one_row_per_instant(from_batches(batches, series.known))
            for month, rows in by_month(columns):
                series.enter_month(cursor, rows.series, month)
                opened.months.append(cursor, month, rows, series.known_new(rows))
                series.advance(last_of_each(rows))
        self._wrote()

    def _read(self, site: str, key: str, start_us: int, end_us: int) -> ReadingSlice:
        with self._instance.using() as (opened, cursor):
            number = opened.series.number(site, key)
            if number is None:
                return queries.EMPTY
            return queries.span(cursor, opened.months, number, start_us, end_us)

    def _read_many(self, site: str, keys: list[str], start_us: int, end_us: int) -> dict[str, ReadingSlice]:
        with self._instance.using() as (opened, cursor):
            numbered = {opened.series.number(site, key): key for key in keys}
            known = [number for number in numbered if number is not None]
            found = queries.spans(cursor, opened.months, known, start_us, end_us)
            return {numbered[number]: rows for number, rows in found}

    def _before(self, site: str, key: str, ts_us: int) -> ReadingSlice:
        with self._instance.using() as (opened, cursor):
            number = opened.series.number(site, key)
            if number is None:
                return queries.EMPTY
            latest = opened.series.latest(number)
            if len(latest) and latest.ts[0] < ts_us and not np.isnan(latest.value[0]):
                return ReadingSlice(latest.ts, latest.value, latest.reset, latest.origin)
            return queries.before(cursor, opened.months, number, ts_us)

    def _after(self, site: str, key: str, ts_us: int) -> ReadingSlice:
        with self._instance.using() as (opened, cursor):
            number = opened.series.number(site, key)
            if number is None:
                return queries.EMPTY
            latest = opened.series.latest(number)
            if not len(latest) or latest.ts[0] < ts_us:
                return queries.EMPTY
            return queries.after(cursor, opened.months, number, ts_us)

    def _reduce(self, site: str, key: str, start_us: int, end_us: int, buckets: int) -> ReducedSlice:
        with self._instance.using() as (opened, cursor):
            number = opened.series.number(site, key)
            return queries.reduce(cursor, opened.months, number, (start_us, end_us), buckets)

    def _counts(self, site: str, keys: list[str], start_us: int, end_us: int) -> dict[tuple[str, int], int]:
        with self._instance.using() as (opened, cursor):
            numbered = {opened.series.number(site, key): key for key in keys}
            known = [number for number in numbered if number is not None]
            found = queries.hourly(cursor, opened.months, known, start_us, end_us)
            return {(numbered[number], hour): rows for (number, hour), rows in found.items()}

    def _put_statistics(self, site: str, level: Level, source: Source, rows: StatisticColumns) -> None:
        with self._instance.using() as (opened, cursor):
            opened.series.register(cursor, [(site, key) for key in rows.keys])
            numbers = np.array([opened.series.known(site, key) for key in rows.keys], np.int32)
            columns: dict[str, NDArray[np.generic]] = {"series": numbers[rows.place], "start": rows.start_us}
            columns |= {name: getattr(rows, name) for name in VALUE_COLUMNS}
            columns["provenance"] = rows.provenance
            opened.statistics.put(cursor, (level, source), Rows(columns).last_of_each())
        self._wrote()

    def _statistics(
        self, site: str, keys: list[str], pair: tuple[Level, Source], span: tuple[int, int], columns: Sequence[str]
    ) -> StatisticColumns:
        with self._instance.using() as (opened, cursor):
            known = [(place, opened.series.number(site, key)) for place, key in enumerate(keys)]
            numbers = {place: number for place, number in known if number is not None}
            return opened.statistics.read(cursor, pair, keys, Wanted(numbers, *span, [*columns, "provenance"]))

    def _forget(self, loss: Loss) -> None:
        with self._instance.using() as (opened, cursor):
            opened.months.lost.forget(cursor, loss)

    def _wrote(self) -> None:
        self._last_write_us = self._clock_us()
        self._upkeep.commits += 1

    def _info(self) -> StoreInfo:
        readings = statistics = 0
        trouble = note = None
        try:
            with self._instance.using() as (opened, cursor):
                readings, statistics = queries.totals(cursor, opened.months, opened.statistics.tables())
                note = _told(opened.months.set_aside())
        except StoreUnavailableError as err:
            trouble = err.message
        return StoreInfo(
            backend="duckdb",
            version=duckdb.__version__,
            well=trouble is None,
            detail=trouble or note,
            readings=readings,
            statistics=statistics,
            size_bytes=sum(map(_size, self._folder.rglob("*.duckdb*"))),
            free_bytes=shutil.disk_usage(self._folder).free if self._folder.exists() else 0,
            last_write_us=self._last_write_us,
            doing=self._upkeep.doing,
        )


def _told(set_aside: Sequence[str]) -> str | None:
    if not set_aside:
        return None
    return (
        f"Damaged files of readings were set aside, the server goes on without them: {', '.join(set_aside)} in the "
        "folder series/readings. What Home Assistant still has of their months comes again by itself. To have all of "
        "it, restore the whole data folder from a backup while the server is stopped. Or delete the damaged files."
    )


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # a log that a checkpoint just emptied
        return 0

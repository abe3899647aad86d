"""The SeriesStore on DuckDB: the port put together from its parts, and recovery after a failure.

In:   calls of the port, from the event loop.
Out:  their results; the work is done in threads: one that writes readings, one that writes Statistics, one that sorts,
a few that read.
Failures: StoreUnavailableError. After one that DuckDB does not survive, the next call opens the store anew.
"""

import asyncio
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Condition
from time import time_ns

import duckdb
import numpy as np
from numpy.typing import NDArray

from energy_server.errors import StoreUnavailableError
from energy_server.model.reading import Reading, ReadingBatch, ReadingSlice, ReducedSlice
from energy_server.model.statistic import VALUE_COLUMNS, Level, Source, StatisticColumns
from energy_server.store.duckdb import queries, sorting
from energy_server.store.duckdb.columns import by_month, from_batches, last_of_each, one_row_per_instant
from energy_server.store.duckdb.connection import connect, release, translated
from energy_server.store.duckdb.months import MonthFiles
from energy_server.store.duckdb.series import SeriesIndex
from energy_server.store.duckdb.statistics import Rows, StatisticsFile, Wanted
from energy_server.store.port import StoreInfo

DEFAULT_MEMORY_LIMIT_MB = 48
READERS = 2


@dataclass(frozen=True, slots=True)
class _Opened:
    """What exists while the store is open."""

    connection: duckdb.DuckDBPyConnection
    store_id: str
    series: SeriesIndex
    months: MonthFiles
    statistics: StatisticsFile


class DuckDBSeriesStore:
    """Readings and Statistics in a folder. See `store.port.SeriesStore`."""

    def __init__(self, folder: Path, memory_limit_mb: int = DEFAULT_MEMORY_LIMIT_MB) -> None:
        self._folder = folder
        self._memory_limit_mb = memory_limit_mb
        self._writer = ThreadPoolExecutor(1, "store-write")
        self._statistician = ThreadPoolExecutor(1, "store-statistics")
        self._sorter = ThreadPoolExecutor(1, "store-sort")
        self._readers = ThreadPoolExecutor(READERS, "store-read")
        self._wanted = False  # between open() and close(), whether the files could be opened or not
        self._opened: _Opened | None = None
        self._opening = Condition()  # held while the store is opened, closed, entered or left
        self._users = 0
        self._trouble = "The store was not opened yet."
        self._last_write_us: int | None = None

    @property
    def store_id(self) -> str:
        """The random id of the store; StoreUnavailableError before it was opened."""
        opened = self._opened
        if opened is None:
            raise StoreUnavailableError(self._trouble)
        return opened.store_id

    async def open(self) -> None:
        """Open or create the store."""
        self._wanted = True
        await self._in(self._writer, self._open)

    async def close(self) -> None:
        """Finish what is under way, checkpoint, and let go of the files."""
        self._wanted = False
        await self._in(self._writer, self._close)

    async def append(self, batches: Sequence[ReadingBatch]) -> None:
        """Store readings."""
        await self._in(self._writer, self._append, batches)

    async def read(self, site: str, key: str, start_us: int, end_us: int) -> ReadingSlice:
        """Return the readings of one Entity in the span."""
        return await self._in(self._readers, self._read, site, key, start_us, end_us)

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
        opened = self._opened
        if opened is None:
            opened = await self._in(self._writer, self._open)
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
        return None

    async def sort_month(self, month: int) -> bool:
        """Rewrite one month, counted from January 1970, sorted by (series, ts); False when it must be repeated."""
        made = await self._in(self._sorter, self._copy_month, month)
        return made is None or await self._in(self._writer, self._finish_month, made)

    async def sort_statistics(self) -> None:
        """Rewrite Statistics that lie scattered, sorted by (series, start); rows that come meanwhile wait."""
        await self._in(self._statistician, self._sort_statistics)

    async def _in[*P, R](self, executor: ThreadPoolExecutor, work: Callable[[*P], R], *args: *P) -> R:
        return await asyncio.get_running_loop().run_in_executor(executor, work, *args)

    # What follows runs in threads.

    def _open(self) -> _Opened:
        with self._opening:
            if not self._wanted:
                raise StoreUnavailableError("The store is closed.")
            opened = self._opened
            if opened is None:
                if self._users:  # somebody still reads in the instance that was given up
                    raise StoreUnavailableError(self._trouble)
                try:
                    with translated(self._folder):
                        opened = self._opened = _opened(self._folder, self._memory_limit_mb)
                except StoreUnavailableError as err:
                    self._trouble = err.message
                    raise
            return opened

    def _close(self) -> None:
        with self._opening:
            opened, self._opened = self._opened, None
            if self._users:  # the last one to leave closes
                self._opening.wait_for(lambda: not self._users)
            elif opened is not None:
                with translated(self._folder):
                    opened.connection.close()

    @contextmanager
    def _using(self) -> Iterator[tuple[_Opened, duckdb.DuckDBPyConnection]]:
        """Yield the open store and a cursor of this thread's own; give the store up when it fails."""
        opened = self._enter()
        try:
            with translated(self._folder), closing(opened.connection.cursor()) as cursor:
                yield opened, cursor
        except StoreUnavailableError as err:
            self._give_up(opened, err)
            raise
        finally:
            self._leave(opened)

    def _enter(self) -> _Opened:
        with self._opening:
            opened = self._open()
            self._users += 1
            return opened

    def _leave(self, opened: _Opened) -> None:
        """Close an instance that was given up with its last user: DuckDB refuses to while a cursor is busy."""
        with self._opening:
            self._users -= 1
            if self._users:
                return
            if self._opened is not opened:
                with suppress(duckdb.Error):  # why it was given up is known already
                    opened.connection.close()
            self._opening.notify_all()

    def _give_up(self, opened: _Opened, err: StoreUnavailableError) -> None:
        if isinstance(err.__cause__, duckdb.OutOfMemoryException):
            return  # the operation failed, not the store
        with self._opening:
            if self._opened is opened:
                self._trouble = err.message
                self._opened = None

    def _append(self, batches: Sequence[ReadingBatch]) -> None:
        wanted = [(batch.site, key) for batch in batches for key in dict.fromkeys(batch.keys)]
        if not wanted:
            return
        with self._using() as (opened, cursor):
            series = opened.series
            series.register(cursor, wanted)
            columns = one_row_per_instant(from_batches(batches, series.known))
            for month, rows in by_month(columns):
                series.enter_month(cursor, rows.series, month)
                opened.months.append(cursor, month, rows, series.known_new(rows))
                series.advance(last_of_each(rows))
        self._last_write_us = time_ns() // 1000

    def _read(self, site: str, key: str, start_us: int, end_us: int) -> ReadingSlice:
        with self._using() as (opened, cursor):
            number = opened.series.number(site, key)
            if number is None:
                return queries.EMPTY
            return queries.span(cursor, opened.months, number, start_us, end_us)

    def _before(self, site: str, key: str, ts_us: int) -> ReadingSlice:
        with self._using() as (opened, cursor):
            number = opened.series.number(site, key)
            if number is None:
                return queries.EMPTY
            latest = opened.series.latest(number)
            if len(latest) and latest.ts[0] < ts_us and not np.isnan(latest.value[0]):
                return ReadingSlice(latest.ts, latest.value, latest.reset, latest.origin)
            return queries.before(cursor, opened.months, number, ts_us)

    def _after(self, site: str, key: str, ts_us: int) -> ReadingSlice:
        with self._using() as (opened, cursor):
            number = opened.series.number(site, key)
            if number is None:
                return queries.EMPTY
            latest = opened.series.latest(number)
            if not len(latest) or latest.ts[0] < ts_us:
                return queries.EMPTY
            return queries.after(cursor, opened.months, number, ts_us)

    def _reduce(self, site: str, key: str, start_us: int, end_us: int, buckets: int) -> ReducedSlice:
        with self._using() as (opened, cursor):
            number = opened.series.number(site, key)
            return queries.reduce(cursor, opened.months, number, (start_us, end_us), buckets)

    def _counts(self, site: str, keys: list[str], start_us: int, end_us: int) -> dict[tuple[str, int], int]:
        with self._using() as (opened, cursor):
            numbered = {opened.series.number(site, key): key for key in keys}
            known = [number for number in numbered if number is not None]
            found = queries.hourly(cursor, opened.months, known, start_us, end_us)
            return {(numbered[number], hour): rows for (number, hour), rows in found.items()}

    def _put_statistics(self, site: str, level: Level, source: Source, rows: StatisticColumns) -> None:
        with self._using() as (opened, cursor):
            opened.series.register(cursor, [(site, key) for key in rows.keys])
            numbers = np.array([opened.series.known(site, key) for key in rows.keys], np.int32)
            columns: dict[str, NDArray[np.generic]] = {"series": numbers[rows.place], "start": rows.start_us}
            columns |= {name: getattr(rows, name) for name in VALUE_COLUMNS}
            columns["provenance"] = rows.provenance
            opened.statistics.put(cursor, (level, source), Rows(columns).last_of_each())
        self._last_write_us = time_ns() // 1000

    def _statistics(
        self, site: str, keys: list[str], pair: tuple[Level, Source], span: tuple[int, int], columns: Sequence[str]
    ) -> StatisticColumns:
        with self._using() as (opened, cursor):
            known = [(place, opened.series.number(site, key)) for place, key in enumerate(keys)]
            numbers = {place: number for place, number in known if number is not None}
            return opened.statistics.read(cursor, pair, keys, Wanted(numbers, *span, [*columns, "provenance"]))

    def _copy_month(self, month: int) -> sorting.Copy | None:
        with self._using() as (opened, cursor):
            return sorting.copy(cursor, opened.months, month)

    def _finish_month(self, made: sorting.Copy) -> bool:
        with self._using() as (opened, cursor):
            return sorting.finish(cursor, opened.months, made)

    def _sort_statistics(self) -> None:
        with self._using() as (opened, cursor):
            opened.statistics.sort(cursor)

    def _info(self) -> StoreInfo:
        readings = statistics = 0
        try:
            with self._using() as (opened, cursor):
                readings, statistics = queries.totals(cursor, opened.months, opened.statistics.tables())
            trouble = None
        except StoreUnavailableError as err:
            trouble = err.message
        return StoreInfo(
            backend="duckdb",
            version=duckdb.__version__,
            well=trouble is None,
            detail=trouble,
            readings=readings,
            statistics=statistics,
            size_bytes=sum(map(_size, self._folder.rglob("*.duckdb*"))),
            free_bytes=shutil.disk_usage(self._folder).free if self._folder.exists() else 0,
            last_write_us=self._last_write_us,
        )


def _opened(folder: Path, memory_limit_mb: int) -> _Opened:
    connection = connect(folder, memory_limit_mb)
    try:
        with closing(connection.cursor()) as cursor:
            store_id = _store_id(cursor)
            series, months = SeriesIndex(), MonthFiles(folder / "readings")
            statistics = StatisticsFile(folder / "statistics.duckdb")
            months.open(cursor)
            statistics.open(cursor)
            queries.load_latest(cursor, months, series)
        release(connection, memory_limit_mb)  # a month was read for its last rows: nobody will ask for the others
    except duckdb.Error, OSError:
        connection.close()
        raise
    return _Opened(connection, store_id, series, months, statistics)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # a log that a checkpoint just emptied
        return 0


def _store_id(cursor: duckdb.DuckDBPyConnection) -> str:
    cursor.execute("CREATE TABLE IF NOT EXISTS store (id VARCHAR NOT NULL)")
    cursor.execute("INSERT INTO store SELECT $1 WHERE NOT EXISTS (FROM store)", [secrets.token_hex(16)])
    found = cursor.execute("SELECT id FROM store").fetchone()
    return str(found[0]) if found else ""

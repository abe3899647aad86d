"""The embedded store's upkeep: what has become unsorted is sorted, and now and then the instance is opened anew.

In:   how the files are now.
Out:  a line for the sync log about what was done; `doing` tells of it meanwhile.
Failures: StoreUnavailableError; CopyDiffersError, a defect. The store is as good as before then, and when cancelled.

Sorting works in slices with pauses, so that it takes a small part of the processor. What writers wait for is short, see
`sorting.py` and `statistics.py`. DuckDB slowly takes memory that it does not report: opening anew gives it back.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic

import duckdb

from energy_server.errors import StoreUnavailableError
from energy_server.store.duckdb import sorting
from energy_server.store.duckdb.copying import ROWS_AT_ONCE, Walk
from energy_server.store.duckdb.instance import Instance, Opened
from energy_server.store.duckdb.months import MonthFile
from energy_server.store.duckdb.statistics import LONGEST_TAIL_ROWS
from energy_server.store.duckdb.statistics import Rewriting as StatisticsRewriting

LONGEST_PAUSE_S = 10.0
RESERVE_BYTES = 64 * 2**20
"""What must be free beside the copy, so that sorting never is what fills a disk."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When something is due, and how politely it is done."""

    unsorted_rows: int = 4_000_000
    """In the present month; a month that is over is sorted whatever it has,"""
    settled_s: float = 600.0
    """when nothing was appended to it for so long,"""
    late_share: int = 50
    """and more than this part of its rows came late."""
    statistics_rows: int = LONGEST_TAIL_ROWS
    commits: int = 20_000
    rows_at_once: int = ROWS_AT_ONCE
    pause_share: float = 4.0
    """How long a pause is, compared with the work before it."""


@dataclass(frozen=True, slots=True)
class Threads:
    """Who works where: each has one thread."""

    writer: ThreadPoolExecutor
    statistician: ThreadPoolExecutor
    sorter: ThreadPoolExecutor


def is_due(file: MonthFile, rows: int, now_month: int, quiet_s: float, thresholds: Thresholds) -> bool:
    """Say whether a month's file of so many rows is to be sorted. Pure."""
    unsorted = rows - file.sorted_rows
    if file.month >= now_month:
        return unsorted > thresholds.unsorted_rows
    return quiet_s >= thresholds.settled_s and unsorted > file.sorted_rows // thresholds.late_share


class Upkeep:
    """One piece of work at a time."""

    def __init__(self, instance: Instance, threads: Threads, now_month: Callable[[], int], due: Thresholds) -> None:
        self.doing: str | None = None
        self.commits = 0
        self._instance = instance
        self._threads = threads
        self._now_month = now_month
        self._due = due
        self._working = asyncio.Lock()

    async def run(self) -> str | None:
        """Do what is due first; None when nothing is."""
        async with self._working:
            try:
                return await self._reopen() or await self._sort_month() or await self._sort_statistics()
            finally:
                self.doing = None

    async def _sort_month(self) -> str | None:
        begun = await _whole(self._threads.writer, self._begin_month)
        if begun is None:
            return None
        opened, rewriting = begun
        work = _Months(self._instance, opened, rewriting, self._threads.writer, self._due.rows_at_once)
        return await self._rewrite(work, f"readings of {rewriting.name.replace('_', '-')}")

    async def _sort_statistics(self) -> str | None:
        begun = await _whole(self._threads.statistician, self._begin_statistics)
        if begun is None:
            return None
        opened, rewriting = begun
        work = _Statistics(self._instance, opened, rewriting, self._threads.statistician, self._due.rows_at_once)
        return await self._rewrite(work, f"statistics {rewriting.name}")

    async def _rewrite(self, work: _Months | _Statistics, what: str) -> str | None:
        started_s = monotonic()
        self.doing = f"Sorting the {what}"
        try:
            await self._politely(work.prepare)
            while not work.walk.done:
                self.doing = f"Sorting the {what}: {min(99, 100 * work.walk.rows // work.walk.total)} %"
                await self._politely(work.copy)
            await _whole(self._threads.sorter, work.seal)
            await _whole(work.thread, work.finish)
        finally:
            await _whole(self._threads.sorter, work.retire if work.finished else work.forget)
        took_s = monotonic() - started_s
        return f"Sorted the {what} in {took_s:.0f} s" if work.finished else None

    async def _reopen(self) -> str | None:
        if self.commits < self._due.commits:
            return None
        commits = self.commits
        if not await _whole(self._threads.writer, self._instance.reopen):
            return None
        self.commits = 0
        return f"Opened the store anew after {commits:,} commits"

    async def _politely[*P, R](self, work: Callable[[*P], R], *args: *P) -> R:
        """Work in the sorter's thread, then rest."""
        started_s = monotonic()
        result = await _whole(self._threads.sorter, work, *args)
        await asyncio.sleep(min(LONGEST_PAUSE_S, self._due.pause_share * (monotonic() - started_s)))
        return result

    # What follows runs in threads.

    def _begin_month(self) -> tuple[Opened, sorting.Rewriting] | None:
        with self._instance.using() as (opened, cursor):
            for month in opened.months.months():
                file = opened.months.get(month)
                if file is not None and self._is_due(cursor, file):
                    return opened, sorting.begin(cursor, file)
        return None

    def _is_due(self, cursor: duckdb.DuckDBPyConnection, file: MonthFile) -> bool:
        rows = sorting.count(cursor, file.alias)
        if not is_due(file, rows, self._now_month(), file.quiet_s(), self._due):
            return False
        return shutil.disk_usage(file.path.parent).free > file.path.stat().st_size + RESERVE_BYTES

    def _begin_statistics(self) -> tuple[Opened, StatisticsRewriting] | None:
        with self._instance.using() as (opened, cursor):
            path = opened.statistics.path
            if shutil.disk_usage(path.parent).free < path.stat().st_size + RESERVE_BYTES:
                return None
            rewriting = opened.statistics.begin(cursor, self._due.statistics_rows)
            return None if rewriting is None else (opened, rewriting)


class _Work[Rewriting]:
    """A rewriting, step by step; `finish` works in `thread`, the other steps in the sorter's.

    `finished` tells that the new took the place of the old, also to who was cancelled before `finish` returned.
    """

    def __init__(
        self, instance: Instance, opened: Opened, rewriting: Rewriting, thread: ThreadPoolExecutor, rows_at_once: int
    ) -> None:
        self.thread = thread
        self.finished = False
        self._instance = instance
        self._opened = opened
        self._rewriting = rewriting
        self._rows_at_once = rows_at_once

    @contextmanager
    def _at_it(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._instance.using() as (opened, cursor):
            if opened is not self._opened:
                raise StoreUnavailableError("The store was opened anew while it was sorted.")
            yield cursor


class _Months(_Work[sorting.Rewriting]):
    """A month of readings."""

    @property
    def walk(self) -> Walk:
        return self._rewriting.walk

    def prepare(self) -> None:
        with self._reading() as cursor:
            sorting.prepare(cursor, self._rewriting)

    def copy(self) -> None:
        with self._reading() as cursor:
            sorting.copy(cursor, self._rewriting, self._rows_at_once)

    def seal(self) -> None:
        with self._reading() as cursor:
            sorting.seal(cursor, self._rewriting)

    def finish(self) -> None:
        with self._at_it() as cursor:
            self.finished = sorting.finish(cursor, self._opened.months, self._rewriting)

    def retire(self) -> None:
        with self._at_it() as cursor:
            self._opened.months.retire(cursor, self._rewriting.old)

    def forget(self) -> None:
        if self._instance.opened is self._opened:  # otherwise opening deletes what is left
            with self._at_it() as cursor:
                sorting.forget(cursor, self._rewriting)

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._at_it() as cursor, self._opened.months.reading([self._rewriting.old.month]):
            yield cursor


class _Statistics(_Work[StatisticsRewriting]):
    """A year of Statistics."""

    @property
    def walk(self) -> Walk:
        return self._rewriting.walk

    def prepare(self) -> None:
        with self._at_it() as cursor:
            self._opened.statistics.prepare(cursor, self._rewriting)

    def copy(self) -> None:
        with self._at_it() as cursor:
            self._opened.statistics.copy(cursor, self._rewriting, self._rows_at_once)

    def seal(self) -> None:
        with self._at_it() as cursor:
            self._opened.statistics.checkpoint(cursor)

    def finish(self) -> None:
        with self._at_it() as cursor:
            self.finished = self._opened.statistics.finish(cursor, self._rewriting)

    def retire(self) -> None:
        with self._at_it() as cursor:
            self._opened.statistics.checkpoint(cursor)  # frees the old tables' blocks

    def forget(self) -> None:
        if self._instance.opened is self._opened:  # otherwise opening deletes what is left
            with self._at_it() as cursor:
                self._opened.statistics.forget(cursor, self._rewriting)


async def _whole[*P, R](executor: ThreadPoolExecutor, work: Callable[[*P], R], *args: *P) -> R:
    """Work in a thread to the end, also when cancelled: what comes next must not meet it half done."""
    working = asyncio.get_running_loop().run_in_executor(executor, work, *args)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        while not working.done():
            with suppress(asyncio.CancelledError):  # once is enough
                await asyncio.wait([working])
        raise

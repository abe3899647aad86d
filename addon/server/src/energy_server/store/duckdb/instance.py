"""The one open DuckDB instance, shared by all threads: opened when it is needed, given up when it fails.

In:   the folder of the store.
Out:  `using`: what is open, and a cursor of the calling thread's own.
Failures: StoreUnavailableError, with what to do. The next use after one tries to open the store anew.
"""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Condition

import duckdb

from energy_server.errors import StoreUnavailableError
from energy_server.store.duckdb import queries
from energy_server.store.duckdb.connection import connect, release, sync_folder, translated
from energy_server.store.duckdb.months import MonthFiles
from energy_server.store.duckdb.series import SeriesIndex
from energy_server.store.duckdb.statistics import StatisticsFile

VERSION = 1
"""Of all files in the folder: it grows with a release whose files one before it would misread."""
REOPEN_WITHIN_S = 0.5
"""So long a reopening waits for those who use the instance, while nobody else may."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What exists while the store is open."""

    connection: duckdb.DuckDBPyConnection
    store_id: str
    series: SeriesIndex
    months: MonthFiles
    statistics: StatisticsFile


class Instance:
    """The instance and who uses it."""

    def __init__(self, folder: Path, memory_limit_mb: int) -> None:
        self.folder = folder
        self.trouble = "The store was not opened yet."
        self._memory_limit_mb = memory_limit_mb
        self._wanted = False  # between open() and close(), whether the files could be opened or not
        self._opened: Opened | None = None
        self._changing = Condition()  # held while the store is opened, closed, entered or left
        self._reopening = False
        self._users = 0
        self._suspects: set[str] = set()

    @property
    def opened(self) -> Opened | None:
        """What is open now."""
        return self._opened

    def want(self, *, open_: bool) -> None:
        """Say whether the store may be open."""
        self._wanted = open_

    def open(self) -> Opened:
        """Open the store, unless it is."""
        with self._changing:
            if not self._wanted:
                raise StoreUnavailableError("The store is closed.")
            if self._opened is None:
                if self._users:  # somebody still reads in the instance that was given up
                    raise StoreUnavailableError(self.trouble)
                return self._open()
            return self._opened

    def close(self) -> None:
        """Close the store once nobody uses it any more."""
        with self._changing:
            opened, self._opened = self._opened, None
            if self._users:  # the last one to leave closes
                self._changing.wait_for(lambda: not self._users)
            elif opened is not None:
                with translated(self.folder):
                    opened.connection.close()

    def reopen(self) -> bool:
        """Close and open while everybody waits; False, and nothing was done, where that would take long."""
        with self._changing:
            self._reopening = True
            try:
                free = self._changing.wait_for(lambda: not self._users, REOPEN_WITHIN_S)
                if free and self._opened is not None:
                    opened, self._opened = self._opened, None
                    with translated(self.folder):
                        opened.connection.close()
                    self._open()
                return free
            finally:
                self._reopening = False
                self._changing.notify_all()

    def rest(self) -> None:
        """Give back the memory of the buffers; nobody may use the store meanwhile, and who does is let be."""
        with self._changing, translated(self.folder):
            if self._opened is not None and not self._users:
                release(self._opened.connection, self._memory_limit_mb)

    @contextmanager
    def using(self) -> Iterator[tuple[Opened, duckdb.DuckDBPyConnection]]:
        """Yield the open store and a cursor of this thread's own; give the store up when it fails."""
        opened = self._enter()
        try:
            with translated(self.folder), closing(opened.connection.cursor()) as cursor:
                yield opened, cursor
        except StoreUnavailableError as err:
            self._give_up(opened, err)
            raise
        finally:
            self._leave(opened)

    def _open(self) -> Opened:
        self._opened = None
        try:
            with translated(self.folder):
                opened = _opened(self.folder, self._memory_limit_mb, self._suspects)
        except StoreUnavailableError as err:
            self.trouble = err.message
            raise
        self._opened = opened
        return opened

    def _enter(self) -> Opened:
        with self._changing:
            self._changing.wait_for(lambda: not self._reopening)
            opened = self.open()
            self._users += 1
            return opened

    def _leave(self, opened: Opened) -> None:
        """Close an instance that was given up with its last user: DuckDB refuses to while a cursor is busy."""
        with self._changing:
            self._users -= 1
            if not self._users and self._opened is not opened:
                with suppress(duckdb.Error):  # why it was given up is known already
                    opened.connection.close()
            self._changing.notify_all()

    def _give_up(self, opened: Opened, err: StoreUnavailableError) -> None:
        if isinstance(err.__cause__, duckdb.OutOfMemoryException):
            return  # the operation failed, not the store
        with self._changing:
            if self._opened is opened:
                self.trouble = err.message
                self._opened = None


def _opened(folder: Path, memory_limit_mb: int, suspects: set[str]) -> Opened:
    connection = connect(folder, memory_limit_mb)
    try:
        with closing(connection.cursor()) as cursor:
            store_id = _store_id(cursor, folder)
            series, months = SeriesIndex(), MonthFiles(folder / "readings", suspects)
            statistics = StatisticsFile(folder / "statistics.duckdb")
            months.open(cursor)
            statistics.open(cursor)
            queries.load_latest(cursor, months, series)
        for made_in in (folder, folder.parent):
            sync_folder(made_in)  # a store that is new: DuckDB makes the contents of files durable, not their names
        release(connection, memory_limit_mb)  # a month was read for its last rows: nobody will ask for the others
    except duckdb.Error, OSError, StoreUnavailableError:
        connection.close()
        raise
    return Opened(connection, store_id, series, months, statistics)


def _store_id(cursor: duckdb.DuckDBPyConnection, folder: Path) -> str:
    cursor.execute("CREATE TABLE IF NOT EXISTS store (id VARCHAR NOT NULL)")
    cursor.execute("ALTER TABLE store ADD COLUMN IF NOT EXISTS version INTEGER DEFAULT 1")
    new = [secrets.token_hex(16), VERSION]
    cursor.execute("INSERT INTO store (id, version) SELECT $1, $2 WHERE NOT EXISTS (FROM store)", new)
    store_id, version = cursor.execute("SELECT id, version FROM store").fetchall()[0]
    if version > VERSION:
        raise StoreUnavailableError(
            f"The store in {folder} is of a later release (version {version}, this one knows {VERSION}): update"
            " the server"
        )
    return str(store_id)

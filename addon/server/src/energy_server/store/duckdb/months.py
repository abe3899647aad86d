"""The files of readings: one for each UTC month, in generations.

In:   rows of one month that are unique by (series, ts).
Out:  the same rows, durable; their files pinned for reading; one generation exchanged for the next.
Failures: DuckDB's own errors, translated by the store. A failed append leaves nothing of its month behind.

A file is `2026_10.g3.duckdb`: month and generation. The first generation is appended in the order of arrival; a later
one began sorted by (series, ts), so that a series lies together. While it is being written it is called `.building`.
A file that cannot be read is called `.damaged` from then on: it is kept, and its month begins anew.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Condition
from time import time

import duckdb
import numpy as np
from numpy.typing import NDArray

from energy_server.model.reading import Origin
from energy_server.store.duckdb.columns import Columns, month_name, month_named
from energy_server.store.duckdb.connection import attach, commit, decisive, is_damage, sync_folder
from energy_server.store.duckdb.lost import DAMAGED, LostMonths

BUILDING = ".building"
MOST_REPLACED = 20_000
"""So many readings may be replaced in a month while it is rewritten; more would make the exchange take long."""

_CREATING = "creating"
_FILE = re.compile(r"(\d{4}_\d{2})\.g(\d+)\.duckdb")
_LOG = re.compile(r"\.wal(\.checkpoint|\.recovery)?$")
CREATE = """
CREATE TABLE IF NOT EXISTS {file}.readings (
    series INTEGER NOT NULL, ts BIGINT NOT NULL, value DOUBLE, reset BIGINT, origin UTINYINT NOT NULL
);
CREATE TABLE IF NOT EXISTS {file}.sorted (rows BIGINT NOT NULL);
"""
"""`sorted` tells how many of the first rows lie in order."""
_SORTED = "SELECT coalesce(sum(rows), 0)::BIGINT FROM {file}.sorted"
_READ_THROUGH = "SELECT sum(hash(series, ts, value, reset, origin)) FROM {file}.readings"
_INSERT = "INSERT INTO {file}.readings SELECT series, ts, value, reset, origin FROM batch"
_MERGE = """
MERGE INTO {file}.readings t USING batch s ON t.series = s.series AND t.ts = s.ts
    AND t.ts BETWEEN {first_ts} AND {last_ts} AND t.series BETWEEN {first_series} AND {last_series}
WHEN MATCHED AND s.origin = 0
    AND (t.value IS DISTINCT FROM s.value OR t.reset IS DISTINCT FROM s.reset OR t.origin <> 0)
    THEN UPDATE SET value = s.value, reset = s.reset, origin = s.origin
WHEN NOT MATCHED THEN INSERT (series, ts, value, reset, origin) VALUES (s.series, s.ts, s.value, s.reset, s.origin)
"""
"""Of all origins only `live`, which is 0, replaces. The constant bounds keep the join to a few row groups."""


@dataclass(eq=False, slots=True)
class MonthFile:
    """One attached file. `readers` counts the reads that are under way in it."""

    month: int
    generation: int
    path: Path
    sorted_rows: int = 0
    readers: int = 0
    replacing: list[Columns] | None = None
    """Since its rewriting began, the live rows that may have replaced others; None: it is not rewritten."""

    @property
    def alias(self) -> str:
        """Return the name under which the file is attached."""
        return f"m{self.month}_g{self.generation}"

    @property
    def log(self) -> Path:
        """Return the path of the write-ahead log, which is not always there."""
        return self.path.with_name(f"{self.path.name}.wal")

    @property
    def following(self) -> Path:
        """Return the path of the next generation."""
        return self.path.with_name(f"{month_name(self.month)}.g{self.generation + 1}.duckdb")

    def quiet_s(self) -> float:
        """Return how long ago the file was written to."""
        written = [path.stat().st_mtime for path in (self.path, self.log) if path.exists()]
        return time() - max(written)

    def note(self, known: Columns) -> None:
        """Remember what may replace rows that a rewriting has copied already; too much of it abandons the rewriting."""
        if self.replacing is not None:
            self.replacing.append(known.pick(known.origin == Origin.LIVE))
            if sum(map(len, self.replacing)) > MOST_REPLACED:
                self.replacing = None


class MonthFiles:
    """All files of readings. Written by the one writer thread; read in any thread under `reading`."""

    def __init__(self, folder: Path, suspects: set[str]) -> None:
        """Take the names of the files whose use showed damage; they are looked through, and more are added."""
        self.lost = LostMonths()
        self._folder = folder
        self._suspects = suspects
        self._files: dict[int, MonthFile] = {}
        self._idle = Condition()

    def open(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Attach the newest generation of each month, and delete what an interrupted rewriting left.

        Suspects are read through. A file that cannot be read is set aside.
        """
        self._folder.mkdir(exist_ok=True)
        self.lost.load(cursor)
        self._suspects |= self.lost.names()  # a kill kept some from being set aside
        newest: dict[int, MonthFile] = {}
        for path in self._folder.iterdir():
            named = _FILE.fullmatch(path.name)
            if named:
                file = MonthFile(month_named(named[1]), int(named[2]), path)
                newest[file.month] = max(file, newest.get(file.month, file), key=lambda one: one.generation)
        kept = {file.path.name for file in newest.values()}
        sync_folder(self._folder)  # what stays has its name on the disk before what it was made of goes
        for path in sorted(self._folder.iterdir(), reverse=True):  # the logs before the file that they belong to
            name = _LOG.sub("", path.name)
            if name not in kept and _FILE.fullmatch(name.removesuffix(BUILDING)):
                path.unlink()
        for month in sorted(newest):
            self._open(cursor, newest[month])

    def set_aside(self) -> list[str]:
        """Return the names of the files that could not be read."""
        return sorted(path.name for path in self._folder.glob(f"*{DAMAGED}"))

    def months(self) -> list[int]:
        """Return the months that have a file, oldest first."""
        return sorted(self._files)

    @contextmanager
    def reading(self, months: Sequence[int]) -> Iterator[list[str]]:
        """Pin the files of these months, where there are any; yield the names under which they are attached."""
        with self._idle:
            files = [self._files[month] for month in months if month in self._files]
            for file in files:
                file.readers += 1
        try:
            with self._suspecting(files):
                yield [file.alias for file in files]
        finally:
            with self._idle:
                for file in files:
                    file.readers -= 1
                self._idle.notify_all()

    def append(self, cursor: duckdb.DuckDBPyConnection, month: int, rows: Columns, new: NDArray[np.bool_]) -> None:
        """Store rows of one month in one transaction; `new` marks those that cannot be there already."""
        file = self._files.get(month) or self._create(cursor, month)
        with self._suspecting([file]):
            cursor.execute("BEGIN")
            if new.any():
                _write(cursor, rows.pick(new), _INSERT.format(file=file.alias))
            if not new.all():
                self._merge(cursor, file, rows.pick(~new))
            commit(cursor)

    def get(self, month: int) -> MonthFile | None:
        """Return the file of a month, if there is one."""
        return self._files.get(month)

    def publish(self, cursor: duckdb.DuckDBPyConnection, new: MonthFile) -> None:
        """Read and append in a new generation from now on; the writer thread alone may."""
        self._attach(cursor, new)

    def retire(self, cursor: duckdb.DuckDBPyConnection, old: MonthFile) -> None:
        """Delete a generation that has a successor, once nobody reads it any more."""
        with self._idle:
            self._idle.wait_for(lambda: old.readers == 0)
        cursor.execute(f"DETACH {old.alias}")
        # The log before its file: a file without its log is only incomplete, a log without its file is poison.
        old.log.unlink(missing_ok=True)
        old.path.unlink()
        sync_folder(self._folder)

    def _open(self, cursor: duckdb.DuckDBPyConnection, file: MonthFile) -> None:
        try:
            self._attach(cursor, file)
            if file.path.name in self._suspects:
                cursor.execute(_READ_THROUGH.format(file=file.alias)).fetchall()
                self.lost.found(cursor, file.path.name)
        except duckdb.Error as err:
            if not is_damage(err):
                raise
            self._set_aside(cursor, file)
        self._suspects.discard(file.path.name)

    def _set_aside(self, cursor: duckdb.DuckDBPyConnection, file: MonthFile) -> None:
        cursor.execute(f"DETACH DATABASE IF EXISTS {file.alias}")
        self.lost.add(cursor, file.path.name, file.month)
        if file.log.exists():
            file.log.rename(file.log.with_name(f"{file.log.name}{DAMAGED}"))
        file.path.rename(file.path.with_name(f"{file.path.name}{DAMAGED}"))
        sync_folder(self._folder)
        self._create(cursor, file.month, file.generation + 1)

    def _merge(self, cursor: duckdb.DuckDBPyConnection, file: MonthFile, known: Columns) -> None:
        bounds = {
            "first_ts": int(known.ts.min()),
            "last_ts": int(known.ts.max()),
            "first_series": int(known.series.min()),
            "last_series": int(known.series.max()),
        }
        file.note(known)
        _write(cursor, known, _MERGE.format(file=file.alias, **bounds))

    @contextmanager
    def _suspecting(self, files: Sequence[MonthFile]) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as err:
            if is_damage(err):
                self._suspects.update(file.path.name for file in files)
            raise

    def _create(self, cursor: duckdb.DuckDBPyConnection, month: int, generation: int = 1) -> MonthFile:
        file = MonthFile(month, generation, self._folder / f"{month_name(month)}.g{generation}.duckdb")
        unfinished = file.path.with_name(f"{file.path.name}{BUILDING}")  # so that a name stands for a whole file
        with decisive():  # what is left attached would be in the way of the next attempt
            attach(cursor, unfinished, _CREATING)
            cursor.execute(CREATE.format(file=_CREATING))
            cursor.execute(f"DETACH {_CREATING}")
            unfinished.rename(file.path)
            sync_folder(self._folder)
            self._attach(cursor, file)
        return file

    def _attach(self, cursor: duckdb.DuckDBPyConnection, file: MonthFile) -> None:
        attach(cursor, file.path, file.alias)
        cursor.execute(CREATE.format(file=file.alias))
        file.sorted_rows = int(cursor.execute(_SORTED.format(file=file.alias)).fetchall()[0][0])
        self._files[file.month] = file


def _write(cursor: duckdb.DuckDBPyConnection, rows: Columns, statement: str) -> None:
    cursor.register("batch", rows.as_dict())
    cursor.execute(statement)
    cursor.unregister("batch")  # not after a failure: it would fail too, and hide why

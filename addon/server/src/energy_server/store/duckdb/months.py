"""The files of readings: one for each UTC month, in generations.

In:   rows of one month that are unique by (series, ts).
Out:  the same rows, durable; their files pinned for reading; a closed month rewritten sorted.
Failures: DuckDB's own errors, translated by the store. A failed append leaves nothing of its month behind.

A file is `2026_10.g3.duckdb`: month and generation. The first generation is appended in the order of arrival; a later
one began sorted by (series, ts), so that a series lies together. While it is being written it is called `.building`.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Condition

import duckdb
import numpy as np
from numpy.typing import NDArray

from energy_server.store.duckdb.columns import Columns, month_name, month_named
from energy_server.store.duckdb.connection import attach, sync_folder

_FILE = re.compile(r"(\d{4}_\d{2})\.g(\d+)\.duckdb")
CREATE = """
CREATE TABLE IF NOT EXISTS {file}.readings (
    series INTEGER NOT NULL, ts BIGINT NOT NULL, value DOUBLE, reset BIGINT, origin UTINYINT NOT NULL
)
"""
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


@dataclass(slots=True)
class MonthFile:
    """One attached file; `readers` counts the reads that are under way in it, `merges` what may have changed rows."""

    month: int
    generation: int
    path: Path
    readers: int = 0
    merges: int = 0

    @property
    def alias(self) -> str:
        """Return the name under which the file is attached."""
        return f"m{self.month}_g{self.generation}"


class MonthFiles:
    """All files of readings. Written by the one writer thread; read in any thread under `reading`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[int, MonthFile] = {}
        self._idle = Condition()

    def open(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Attach the newest generation of each month, and delete what an interrupted rewrite left."""
        self._folder.mkdir(exist_ok=True)
        newest: dict[int, MonthFile] = {}
        for path in self._folder.iterdir():
            named = _FILE.fullmatch(path.name)
            if named:
                file = MonthFile(month_named(named[1]), int(named[2]), path)
                newest[file.month] = max(file, newest.get(file.month, file), key=lambda one: one.generation)
        kept = {file.path.name for file in newest.values()}
        for path in sorted(self._folder.iterdir(), reverse=True):  # the log before the file that it belongs to
            if path.name.removesuffix(".wal") not in kept:
                path.unlink()
        for month in sorted(newest):
            self._attach(cursor, newest[month])

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
            yield [file.alias for file in files]
        finally:
            with self._idle:
                for file in files:
                    file.readers -= 1
                self._idle.notify_all()

    def append(self, cursor: duckdb.DuckDBPyConnection, month: int, rows: Columns, new: NDArray[np.bool_]) -> None:
        """Store rows of one month in one transaction; `new` marks those that cannot be there already."""
        file = self._files.get(month) or self._create(cursor, month)
        cursor.execute("BEGIN")
        if new.any():
            _write(cursor, rows.pick(new), _INSERT.format(file=file.alias))
        if not new.all():
            known = rows.pick(~new)
            bounds = {
                "first_ts": int(known.ts.min()),
                "last_ts": int(known.ts.max()),
                "first_series": int(known.series.min()),
                "last_series": int(known.series.max()),
            }
            file.merges += 1
            _write(cursor, known, _MERGE.format(file=file.alias, **bounds))
        cursor.execute("COMMIT")

    def get(self, month: int) -> MonthFile | None:
        """Return the file of a month, if there is one."""
        return self._files.get(month)

    def exchange(self, cursor: duckdb.DuckDBPyConnection, old: MonthFile, new: MonthFile) -> None:
        """Read and append in a new generation from now on, and delete the old one once nobody reads it any more."""
        self._attach(cursor, new)
        with self._idle:
            self._idle.wait_for(lambda: old.readers == 0)
        cursor.execute(f"DETACH {old.alias}")
        log = old.path.with_name(f"{old.path.name}.wal")
        log.unlink(
            missing_ok=True
        )  # before its file: a file without its log is only incomplete, a log without is poison
        old.path.unlink()
        sync_folder(self._folder)

    def _create(self, cursor: duckdb.DuckDBPyConnection, month: int) -> MonthFile:
        file = MonthFile(month, 1, self._folder / f"{month_name(month)}.g1.duckdb")
        self._attach(cursor, file)
        sync_folder(self._folder)
        return file

    def _attach(self, cursor: duckdb.DuckDBPyConnection, file: MonthFile) -> None:
        attach(cursor, file.path, file.alias)
        cursor.execute(CREATE.format(file=file.alias))
        self._files[file.month] = file


def _write(cursor: duckdb.DuckDBPyConnection, rows: Columns, statement: str) -> None:
    cursor.register("batch", rows.as_dict())
    try:
        cursor.execute(statement)
    finally:
        cursor.unregister("batch")

"""A month of readings rewritten in the order (series, ts), into its next generation.

In:   the file of a month.
Out:  the same rows in a new file, where each series lies together; the old file gone.
Failures: DuckDB's own errors, translated by the store; CopyDiffersError. Whatever happens, at any step, one complete
generation is kept under its name.

`begin` and `finish` run in the writer thread and are short; `copy` and `catch_up` run beside reads and writes. Rows
that come meanwhile lie behind the row `top` and are added at the end. Rows that were replaced meanwhile are noted by
the file, and copied once more by `finish`; when they are too many, the rewriting is abandoned.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from energy_server.store.duckdb.columns import Columns, concatenated, month_name, one_row_per_instant
from energy_server.store.duckdb.connection import attach, decisive, sync_folder
from energy_server.store.duckdb.copying import CopyDiffersError, Size, Walk, append_rest, copy_next
from energy_server.store.duckdb.months import BUILDING, CREATE, MonthFile, MonthFiles

FEW_ROWS = 2_000
"""So many rows `finish` adds without making writers wait."""

_ALIAS = "building"
_COLUMNS = ("series", "ts", "value", "reset", "origin")
_COUNT = "SELECT count(*) FROM {file}.readings"
_SIZES = """
SELECT series, count(*), min(ts), max(ts) FROM {file}.readings WHERE rowid <= {top} GROUP BY series ORDER BY series
"""
_UPTO = "SELECT * FROM {file}.readings WHERE rowid <= {top}"
_REST = "SELECT * FROM {file}.readings WHERE rowid > {after} AND rowid <= {top}"
_AGAIN = """
MERGE INTO building.readings t USING (
    SELECT o.* FROM {file}.readings o SEMI JOIN batch b ON o.series = b.series AND o.ts = b.ts
        AND o.ts BETWEEN {first} AND {last}
) s ON t.series = s.series AND t.ts = s.ts AND t.ts BETWEEN {first} AND {last}
WHEN MATCHED THEN UPDATE SET value = s.value, reset = s.reset, origin = s.origin
"""


@dataclass(slots=True)
class Rewriting:
    """A new generation under way, and how far: the first `sorted_rows` of the old one come in order, then the rest."""

    old: MonthFile
    path: Path
    sorted_rows: int
    walk: Walk = field(default_factory=lambda: Walk([]))

    @property
    def name(self) -> str:
        """Return which month it is."""
        return month_name(self.old.month)


def begin(cursor: duckdb.DuckDBPyConnection, old: MonthFile) -> Rewriting:
    """Note from now on what is replaced in the file. In the writer thread, so that no append is half done."""
    old.replacing = []
    return Rewriting(old, old.path.with_name(f"{old.path.name}{BUILDING}"), count(cursor, old.alias))


def prepare(cursor: duckdb.DuckDBPyConnection, rewriting: Rewriting) -> None:
    """Make the new file, and see what is to be copied."""
    _remove(cursor, rewriting)  # a run that failed left it
    attach(cursor, rewriting.path, _ALIAS)
    cursor.execute(CREATE.format(file=_ALIAS))
    sizes = cursor.execute(_SIZES.format(file=rewriting.old.alias, top=rewriting.sorted_rows - 1)).fetchall()
    rewriting.walk = Walk([Size(*size) for size in sizes])


def copy(cursor: duckdb.DuckDBPyConnection, rewriting: Rewriting, most_rows: int) -> None:
    """Copy the next rows, in order."""
    source = _UPTO.format(file=rewriting.old.alias, top=rewriting.sorted_rows - 1)
    copy_next(cursor, rewriting.walk, source, f"{_ALIAS}.readings", _COLUMNS, most_rows)


def catch_up(cursor: duckdb.DuckDBPyConnection, rewriting: Rewriting) -> int:
    """Copy what was appended since, behind the rest; return how many rows that were."""
    top = count(cursor, rewriting.old.alias) - 1
    known = rewriting.walk.rows
    if top >= known:
        source = _REST.format(file=rewriting.old.alias, after=known - 1, top=top)
        append_rest(cursor, rewriting.walk, source, f"{_ALIAS}.readings", _COLUMNS)
    return rewriting.walk.rows - known


def seal(cursor: duckdb.DuckDBPyConnection, rewriting: Rewriting) -> None:
    """Let what was copied reach the file. What is left for `finish` is little."""
    if rewriting.walk.rows != rewriting.sorted_rows:
        raise CopyDiffersError(
            f"{rewriting.walk.rows} of {rewriting.sorted_rows} rows of {rewriting.old.path.name} came"
        )
    cursor.execute("INSERT INTO building.sorted VALUES ($1)", [rewriting.sorted_rows])
    rows = FEW_ROWS + 1
    while rows > FEW_ROWS:
        rows = catch_up(cursor, rewriting)
        cursor.execute(f"CHECKPOINT {_ALIAS}")  # the first one after much was added takes long, the next one not


def finish(cursor: duckdb.DuckDBPyConnection, months: MonthFiles, rewriting: Rewriting) -> bool:
    """Let the new generation take the place of the old one; False when it was abandoned. In the writer thread."""
    old = rewriting.old
    catch_up(cursor, rewriting)
    if old.replacing is None:
        return False
    _copy_again(cursor, old, old.replacing)
    if not rewriting.walk.rows == count(cursor, old.alias) == count(cursor, _ALIAS):
        raise CopyDiffersError(
            f"{old.path.name} has {count(cursor, old.alias)} rows, {rewriting.walk.rows} were copied"
        )
    cursor.execute(f"CHECKPOINT {_ALIAS}")
    cursor.execute(f"DETACH {_ALIAS}")
    with rewriting.path.open("rb") as file:
        os.fsync(file.fileno())
    with decisive():  # once the new file has its name, a row that is added to the old one is lost
        rewriting.path.rename(old.following)
        sync_folder(old.following.parent)
        months.publish(cursor, MonthFile(old.month, old.generation + 1, old.following))
    return True


def forget(cursor: duckdb.DuckDBPyConnection, rewriting: Rewriting) -> None:
    """Leave nothing of a rewriting that was given up; nothing at all of one that was finished."""
    rewriting.old.replacing = None
    _remove(cursor, rewriting)


def _remove(cursor: duckdb.DuckDBPyConnection, rewriting: Rewriting) -> None:
    cursor.execute(f"DETACH DATABASE IF EXISTS {_ALIAS}")
    for left in rewriting.path.parent.glob(f"{rewriting.path.name}*"):
        left.unlink()


def _copy_again(cursor: duckdb.DuckDBPyConnection, old: MonthFile, replacing: Sequence[Columns]) -> None:
    rows = one_row_per_instant(concatenated(replacing))
    if not len(rows):
        return
    cursor.register("batch", rows.as_dict())
    cursor.execute(_AGAIN.format(file=old.alias, first=int(rows.ts.min()), last=int(rows.ts.max())))
    cursor.unregister("batch")  # not after a failure: it would fail too, and hide why


def count(cursor: duckdb.DuckDBPyConnection, file: str) -> int:
    """Return how many rows an attached file has."""
    return int(cursor.execute(_COUNT.format(file=file)).fetchall()[0][0])

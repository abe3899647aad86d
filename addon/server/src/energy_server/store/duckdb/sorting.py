"""A month of readings rewritten in the order (series, ts), into its next generation.

In:   the file of a month that is not appended to any more, or seldom.
Out:  the same rows in a new file, where each series lies together; the old file gone.
Failures: DuckDB's own errors, translated by the store. Whatever happens, one complete generation is kept.

`copy` runs beside reads and writes. `finish` runs in the writer thread; a row that was replaced meanwhile, which `copy`
may have missed, abandons the run.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import duckdb

from energy_server.store.duckdb.connection import attach
from energy_server.store.duckdb.months import CREATE, MonthFile, MonthFiles
from energy_server.store.duckdb.slices import slices

_ALIAS = "building"
_TOP = "SELECT max(rowid), count(*), sum(hash(series, ts, value, reset, origin)) FROM {file}.readings"
_SIZES = "SELECT series, count(*) FROM {file}.readings GROUP BY series ORDER BY series"
_COPY = """
INSERT INTO {building}.readings SELECT * FROM {file}.readings
WHERE rowid <= {top} AND series BETWEEN {first} AND {last} ORDER BY series, ts
"""
_REST = "INSERT INTO {building}.readings SELECT * FROM {file}.readings WHERE rowid > {top}"


@dataclass(frozen=True, slots=True)
class Copy:
    """A new generation under way: everything up to the row `top` of the old one, as it was after `merges` merges."""

    old: MonthFile
    path: Path
    top: int
    merges: int


def copy(cursor: duckdb.DuckDBPyConnection, months: MonthFiles, month: int) -> Copy | None:
    """Copy a month, sorted; None when there is nothing of it."""
    old = months.get(month)
    if old is None:
        return None
    started = Copy(old, old.path.with_name(f"{old.path.name}.building"), _check(cursor, old.alias)[0], old.merges)
    cursor.execute(f"DETACH DATABASE IF EXISTS {_ALIAS}")  # a run that failed left it
    for left in old.path.parent.glob(f"{started.path.name}*"):
        left.unlink()
    attach(cursor, started.path, _ALIAS)
    with months.reading([month]):
        cursor.execute(CREATE.format(file=_ALIAS))
        sizes = cursor.execute(_SIZES.format(file=old.alias)).fetchall()
        for first, last in slices(sizes):
            cursor.execute(_COPY.format(building=_ALIAS, file=old.alias, top=started.top, first=first, last=last))
    cursor.execute(f"CHECKPOINT {_ALIAS}")
    return started


def finish(cursor: duckdb.DuckDBPyConnection, months: MonthFiles, made: Copy) -> bool:
    """Add what came since, and let the copy take the place of the old generation; False when it was abandoned."""
    old = made.old
    cursor.execute(_REST.format(building=_ALIAS, file=old.alias, top=made.top))
    cursor.execute(f"CHECKPOINT {_ALIAS}")
    same = old.merges == made.merges and _check(cursor, old.alias)[1:] == _check(cursor, _ALIAS)[1:]
    cursor.execute(f"DETACH {_ALIAS}")
    if not same:
        made.path.unlink()
        return False
    generation = old.generation + 1
    new = MonthFile(
        old.month, generation, old.path.with_name(old.path.name.replace(f".g{old.generation}.", f".g{generation}."))
    )
    with made.path.open("rb") as file:
        os.fsync(file.fileno())
    made.path.rename(new.path)
    months.exchange(cursor, old, new)
    return True


def _check(cursor: duckdb.DuckDBPyConnection, file: str) -> tuple[int, int, int]:
    found = cursor.execute(_TOP.format(file=file)).fetchone()
    top, rows, total = found or (None, 0, None)
    return -1 if top is None else int(top), int(rows), int(total or 0)

"""Rows copied in slices, in order, each slice compared with what came of it.

In:   a query that selects the slice, the table that it is appended to.
Out:  the number of rows appended; slices of bounded size.
Failures: DuckDB's own errors, translated by the store; CopyDiffersError, a defect.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import duckdb

SLICE_ROWS = 500_000
"""Much smaller ones leave small row groups, which DuckDB merges later by writing them again."""


class CopyDiffersError(RuntimeError):
    """What was copied does not come back as it was; the copy is thrown away and the original kept."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some series, or a span of one that has many rows; `until` is not part of it."""

    first: int
    last: int
    since: int
    until: int


def slices(sizes: Iterable[tuple[int, int, int, int]], most_rows: int = SLICE_ROWS) -> Iterator[Slice]:
    """Yield slices in the order (series, ts), from (series, rows, first ts, last ts) in the order of series. Pure.

    Small series are put together; the rows of a large one are taken to be spread evenly over its time.
    """
    first = last = None
    rows = since = until = 0
    for series, count, since_us, last_us in sizes:
        if first is not None and last is not None and rows + count > most_rows:
            yield from _divided(Slice(first, last, since, until), rows, most_rows)
            first = None
        if first is None:
            first, rows, since, until = series, 0, since_us, last_us + 1
        last, rows = series, rows + count
        since, until = min(since, since_us), max(until, last_us + 1)
    if first is not None and last is not None:
        yield from _divided(Slice(first, last, since, until), rows, most_rows)


def _divided(whole: Slice, rows: int, most_rows: int) -> Iterator[Slice]:
    parts = -(-rows // most_rows) if whole.first == whole.last else 1
    edges = [whole.since + (whole.until - whole.since) * part // parts for part in range(parts + 1)]
    for since, until in pairwise(edges):
        yield Slice(whole.first, whole.last, since, until)


def append_slice(cursor: duckdb.DuckDBPyConnection, source: str, target: str, columns: str, order: str) -> int:
    """Append what `source` selects to `target`, in order and in one transaction; return how many rows."""
    sums = f"SELECT count(*), sum(hash({columns})) FROM "  # noqa: S608 - names of the store's own
    cursor.execute("BEGIN")
    known = cursor.execute(f"SELECT count(*) FROM {target}").fetchall()[0][0]  # noqa: S608
    cursor.execute(f"INSERT INTO {target} ({columns}) SELECT {columns} FROM ({source}) ORDER BY {order}")  # noqa: S608
    wanted = cursor.execute(f"{sums} ({source})").fetchall()[0]
    copied = cursor.execute(f"{sums} {target} WHERE rowid >= {known}").fetchall()[0]
    cursor.execute("COMMIT")
    if wanted != copied:
        raise CopyDiffersError(f"{target}: {wanted} rows and sum were to be copied, {copied} were")
    return int(wanted[0])

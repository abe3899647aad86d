"""Rows copied in the order (series, instant), some at a time, each time compared with what came of them.

In:   a query that selects the rows, the table that they are appended to, how many rows each series has.
Out:  `Walk`, which knows how far the copy has come; steps of bounded size.
Failures: DuckDB's own errors, translated by the store; CopyDiffersError, a defect.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from energy_server.store.duckdb.connection import commit

ROWS_AT_ONCE = 2 * 122_880
"""Whole row groups of DuckDB. It merges smaller ones later, by writing them and their neighbours again."""
BEFORE_ALL = -(2**62)


class CopyDiffersError(RuntimeError):
    """What was copied does not come back as it was; the copy is thrown away and the original kept."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows a series has, and its first and last instant."""

    series: int
    rows: int
    first: int
    last: int


@dataclass(slots=True)
class Walk:
    """A copy under way: `rows` rows are copied, the last of them at (series, instant).

    `sizes` are as they were at the beginning. Rows that come meanwhile ahead of the walk are copied too, so that how
    many were copied does not tell whether it came to the end.
    """

    sizes: Sequence[Size]
    rows: int = 0
    series: int = -1
    instant: int = BEFORE_ALL

    @property
    def total(self) -> int:
        """Return how many rows there were at the beginning."""
        return sum(size.rows for size in self.sizes)

    @property
    def done(self) -> bool:
        """Say whether the last of the rows that there were at the beginning is copied, and so all before it."""
        return not self.sizes or (self.series, self.instant) >= (self.sizes[-1].series, self.sizes[-1].last)


def reach(walk: Walk, most_rows: int) -> tuple[int, int]:
    """Return (series, instant) before which so many of the rows that are left lie, or more, or all. Pure.

    The rows of a large series are taken to be spread evenly over its time.
    """
    passed = 0
    for size in walk.sizes:
        before, passed = passed, passed + size.rows
        if passed - walk.rows >= most_rows or size is walk.sizes[-1]:
            wanted = most_rows - max(0, before - walk.rows)
            left = passed - max(before, walk.rows)
            since = max(size.first, walk.instant) if size.series == walk.series else size.first
            ahead = size.last - since
            return size.series, since + 1 + (ahead if left <= 2 * wanted else ahead * 2 * wanted // left)
    return walk.series, walk.instant


def copy_next(
    cursor: duckdb.DuckDBPyConnection, walk: Walk, source: str, target: str, columns: Sequence[str], most_rows: int
) -> None:
    """Append the next rows that `source` selects to `target`, so many or fewer; the first two columns are the order."""
    # DuckDB 2.0 fails with an internal error where it optimises a small LIMIT over a condition on rowid.
    cursor.execute("SET SESSION late_materialization_max_rows = 0")
    last, until = reach(walk, most_rows)
    ends = {size.series: size.last + 1 for size in walk.sizes}
    if not _append_next(cursor, walk, (source, target, columns), (last, until, most_rows)) and not _append_next(
        cursor, walk, (source, target, columns), (last, ends[last], most_rows)
    ):
        raise CopyDiffersError(f"{target}: {walk.rows} of {walk.total} rows were found")


def _append_next(
    cursor: duckdb.DuckDBPyConnection,
    walk: Walk,
    what: tuple[str, str, Sequence[str]],
    limits: tuple[int, int, int],
) -> bool:
    source, target, columns = what
    last, until, most_rows = limits
    series, instant = columns[:2]
    rest = (
        f"FROM ({source}) WHERE {series} BETWEEN {max(walk.series, 0)} AND {last} "
        f"AND ({series} > {walk.series} OR {instant} > {walk.instant}) AND ({series} < {last} OR {instant} < {until})"
    )
    new = f"FROM {target} WHERE rowid >= {walk.rows}"
    names = ", ".join(columns)
    cursor.execute("BEGIN")
    cursor.execute(f"INSERT INTO {target} SELECT {names} {rest} ORDER BY {series}, {instant} LIMIT {most_rows}")
    found = cursor.execute(f"SELECT {series}, {instant} {new} ORDER BY 1 DESC, 2 DESC LIMIT 1").fetchall()
    if found:
        to_series, to_instant = found[0]
        sums = f"SELECT count(*), sum(hash({names}))"
        upto = f"AND ({series} < {to_series} OR ({series} = {to_series} AND {instant} <= {to_instant}))"
        _compare(cursor, target, f"{sums} {rest} {upto}", f"{sums} {new}", walk)
        walk.series, walk.instant = int(to_series), int(to_instant)
    commit(cursor)
    return bool(found)


def append_rest(
    cursor: duckdb.DuckDBPyConnection, walk: Walk, source: str, target: str, columns: Sequence[str]
) -> None:
    """Append everything that `source` selects to `target`."""
    names = ", ".join(columns)
    sums = f"SELECT count(*), sum(hash({names}))"
    cursor.execute("BEGIN")
    cursor.execute(f"INSERT INTO {target} ({names}) SELECT {names} FROM ({source}) ORDER BY {', '.join(columns[:2])}")  # noqa: S608
    _compare(cursor, target, f"{sums} FROM ({source})", f"{sums} FROM {target} WHERE rowid >= {walk.rows}", walk)
    commit(cursor)


def _compare(cursor: duckdb.DuckDBPyConnection, target: str, original: str, copy: str, walk: Walk) -> None:
    wanted, copied = (cursor.execute(query).fetchall()[0] for query in (original, copy))
    if wanted != copied:
        raise CopyDiffersError(f"{target}: {wanted} rows and sum were to be copied, {copied} were")
    walk.rows += int(wanted[0])

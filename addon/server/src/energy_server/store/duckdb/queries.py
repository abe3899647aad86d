"""Reading readings back: spans, neighbours, buckets and what opening needs.

In:   a cursor of the calling thread's own, the files, the number of a series.
Out:  slices of one series, in ascending time.
Failures: DuckDB's own errors, translated by the store.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from energy_server.model.reading import NO_RESET, ReadingSlice, ReducedSlice
from energy_server.store.duckdb.columns import Columns, concatenated, month_start_us, one_row_per_instant
from energy_server.store.duckdb.connection import fetched
from energy_server.store.duckdb.months import MonthFiles
from energy_server.store.duckdb.series import SeriesIndex

HOUR_US = 3_600_000_000
FEW_US = 6 * HOUR_US
"""In a span as short as this, the readings of one series are few."""
WIDEN_BY = 24
"""A neighbour is looked for in the nearest hour, then day, and so on: most are near, and near is cheap."""

_IN_SPAN = "SELECT ts, {columns} FROM {file}.readings WHERE series = {number} AND ts >= {start} AND ts < {end}"
_OF_MANY = """
SELECT series, ts, value, reset, origin FROM {file}.readings
WHERE series IN (SELECT unnest($1::INTEGER[])) AND series BETWEEN {first} AND {last} AND ts >= {start} AND ts < {end}
"""
_ALL = "value, reset, origin"
_VALUED = " AND value IS NOT NULL"
_NEAREST = " ORDER BY ts {direction} LIMIT 1"
_BUCKETS = """
SELECT (ts - {start}) // {width} AS bucket, min(value) AS minimum, max(value) AS maximum, avg(value) AS mean,
    count(*) AS readings
FROM ({parts}) GROUP BY bucket ORDER BY bucket
"""
_COUNTS = """
SELECT series, ts // {hour} AS hour, count(*) FROM {file}.readings
WHERE series IN (SELECT unnest($1::INTEGER[])) AND ts >= {start} AND ts < {end}
    AND series BETWEEN {first} AND {last}
GROUP BY ALL
"""
_LATEST = """
SELECT series, max(ts) AS ts, arg_max_null(value, ts) AS value, arg_max_null(reset, ts) AS reset,
    arg_max(origin, ts) AS origin
FROM {file}.readings WHERE series IN (SELECT unnest($1::INTEGER[])) GROUP BY series
"""

EMPTY = ReadingSlice(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0, np.uint8))


def span(
    cursor: duckdb.DuckDBPyConnection, months: MonthFiles, number: int, start_us: int, end_us: int
) -> ReadingSlice:
    """Return the readings in `[start_us, end_us)`."""
    with months.reading(_months_between(months, start_us, end_us)) as files:
        if not files:
            return EMPTY
        selects = [
            _IN_SPAN.format(columns=_ALL, file=file, number=number, start=start_us, end=end_us) for file in files
        ]
        query = " UNION ALL ".join(selects)
        found = _slice(fetched(cursor, query) if end_us - start_us > FEW_US else cursor.execute(query).fetchnumpy())
    if (found.ts_us[1:] > found.ts_us[:-1]).all():
        return found
    order = np.argsort(found.ts_us)
    return ReadingSlice(found.ts_us[order], found.value[order], found.reset_us[order], found.origin[order])


def spans(
    cursor: duckdb.DuckDBPyConnection, months: MonthFiles, numbers: Sequence[int], start_us: int, end_us: int
) -> Iterator[tuple[int, ReadingSlice]]:
    """Yield (number, readings in the span) of each series that has some."""
    if not numbers:
        return
    bounds = {"start": start_us, "end": end_us, "first": min(numbers), "last": max(numbers)}
    parts = []
    for month in _months_between(months, start_us, end_us):
        with months.reading([month]) as files:
            for file in files:
                query = _OF_MANY.format(file=file, **bounds)
                parts.append(_columns(cursor.execute(query, [list(numbers)]).fetchnumpy()))
    rows = one_row_per_instant(concatenated(parts))
    borders = np.flatnonzero(np.diff(rows.series, prepend=-1, append=-1))
    for first, until in pairwise(borders.tolist()):
        part = rows.pick(slice(first, until))
        yield int(part.series[0]), ReadingSlice(part.ts, part.value, part.reset, part.origin)


def before(cursor: duckdb.DuckDBPyConnection, months: MonthFiles, number: int, ts_us: int) -> ReadingSlice:
    """Return the last reading before the instant, and if it is null also the last with a value, in ascending time."""
    nearest = _nearest(cursor, months, number, _backwards(months, ts_us), "DESC")
    if len(nearest) == 0 or not np.isnan(nearest.value[0]):
        return nearest
    valued = _nearest(cursor, months, number, _backwards(months, int(nearest.ts_us[0])), "DESC", valued=True)
    return _joined(valued, nearest)


def after(cursor: duckdb.DuckDBPyConnection, months: MonthFiles, number: int, ts_us: int) -> ReadingSlice:
    """Return the first reading at or after the instant, and if it is null also the first with a value."""
    nearest = _nearest(cursor, months, number, _forwards(months, ts_us), "ASC")
    if len(nearest) == 0 or not np.isnan(nearest.value[0]):
        return nearest
    valued = _nearest(cursor, months, number, _forwards(months, int(nearest.ts_us[0]) + 1), "ASC", valued=True)
    return _joined(nearest, valued)


def reduce(
    cursor: duckdb.DuckDBPyConnection, months: MonthFiles, number: int | None, within: tuple[int, int], buckets: int
) -> ReducedSlice:
    """Return the readings in the span by buckets that keep the extremes; empty ones are left out."""
    start_us, end_us = within
    width = max(1, -(-(end_us - start_us) // buckets))
    with months.reading(_months_between(months, start_us, end_us)) as files:
        if number is None or not files:
            return ReducedSlice(
                width, np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0), np.empty(0, np.int64)
            )
        parts = [
            _IN_SPAN.format(columns="value", file=file, number=number, start=start_us, end=end_us) + _VALUED
            for file in files
        ]
        query = _BUCKETS.format(start=start_us, width=width, parts=" UNION ALL ".join(parts))
        found = cursor.execute(query).fetchnumpy()
    return ReducedSlice(
        bucket_us=width,
        start_us=start_us + found["bucket"].astype(np.int64) * width,
        minimum=_floats(found["minimum"]),
        maximum=_floats(found["maximum"]),
        mean=_floats(found["mean"]),
        count=found["readings"].astype(np.int64),
    )


def load_latest(cursor: duckdb.DuckDBPyConnection, months: MonthFiles, series: SeriesIndex) -> None:
    """Fill the index, each series from the newest month that has readings of it.

    Of the last month that it entered there may be no file: it was noted before the file was made.
    """
    sought = series.load(cursor)
    missing: set[int] = set()
    for month in reversed(months.months()):
        entered = [last_month for last_month in sought if last_month >= month]
        missing.update(*(sought.pop(last_month) for last_month in entered))
        if missing:
            with months.reading([month]) as files:
                found = cursor.execute(_LATEST.format(file=files[0]), [sorted(missing)]).fetchnumpy()
            series.advance(_columns(found))
            missing.difference_update(found["series"].tolist())


def hourly(
    cursor: duckdb.DuckDBPyConnection, months: MonthFiles, numbers: Sequence[int], start_us: int, end_us: int
) -> dict[tuple[int, int], int]:
    """Return how many readings of the span each series has in each UTC hour, by (number, start of the hour)."""
    if not numbers:
        return {}
    found: dict[tuple[int, int], int] = {}
    bounds = {"start": start_us, "end": end_us, "first": min(numbers), "last": max(numbers)}
    for month in _months_between(months, start_us, end_us):
        with months.reading([month]) as files:
            for file in files:
                cursor.execute(_COUNTS.format(file=file, hour=HOUR_US, **bounds), [list(numbers)])
                found |= {(series, hour * HOUR_US): rows for series, hour, rows in cursor.fetchall()}
    return found


def totals(cursor: duckdb.DuckDBPyConnection, months: MonthFiles, tables: Sequence[str]) -> tuple[int, int]:
    """Return how many readings and Statistics there are."""
    with months.reading(months.months()) as files:
        readings = sum(_count(cursor, f"{file}.readings") for file in files)
    return readings, sum(_count(cursor, table) for table in tables)


def _count(cursor: duckdb.DuckDBPyConnection, table: str) -> int:
    found = cursor.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - a table's name
    return int(found[0]) if found else 0


def _months_between(months: MonthFiles, start_us: int, end_us: int) -> list[int]:
    known = months.months()
    if not known or end_us <= start_us:
        return []
    return [month for month in known if month_start_us(month) < end_us and month_start_us(month + 1) > start_us]


def _backwards(months: MonthFiles, end_us: int) -> Iterator[tuple[int, int, int]]:
    """Yield (month, start, end) spans that go back from the instant, wider and wider, each inside one month."""
    width = HOUR_US
    for month in reversed(_months_between(months, -(2**62), end_us)):
        first = month_start_us(month)
        end_us = min(end_us, month_start_us(month + 1))
        while end_us > first:
            start_us = max(first, end_us - width)
            yield month, start_us, end_us
            end_us = start_us
            width *= WIDEN_BY


def _forwards(months: MonthFiles, start_us: int) -> Iterator[tuple[int, int, int]]:
    """Yield (month, start, end) spans that go on from the instant, wider and wider, each inside one month."""
    width = HOUR_US
    for month in _months_between(months, start_us, 2**62):
        last = month_start_us(month + 1)
        start_us = max(start_us, month_start_us(month))
        while start_us < last:
            end_us = min(last, start_us + width)
            yield month, start_us, end_us
            start_us = end_us
            width *= WIDEN_BY


def _nearest(
    cursor: duckdb.DuckDBPyConnection,
    months: MonthFiles,
    number: int,
    spans: Iterator[tuple[int, int, int]],
    direction: str,
    *,
    valued: bool = False,
) -> ReadingSlice:
    for month, start_us, end_us in spans:
        with months.reading([month]) as files:
            for file in files:
                query = _IN_SPAN.format(columns=_ALL, file=file, number=number, start=start_us, end=end_us)
                query += (_VALUED if valued else "") + _NEAREST.format(direction=direction)
                found = _slice(cursor.execute(query).fetchnumpy())
                if len(found):
                    return found
    return EMPTY


def _joined(first: ReadingSlice, second: ReadingSlice) -> ReadingSlice:
    return ReadingSlice(
        np.concatenate([first.ts_us, second.ts_us]),
        np.concatenate([first.value, second.value]),
        np.concatenate([first.reset_us, second.reset_us]),
        np.concatenate([first.origin, second.origin]),
    )


def _slice(found: dict[str, NDArray[Any]]) -> ReadingSlice:
    return ReadingSlice(
        found["ts"].astype(np.int64, copy=False),
        _floats(found["value"]),
        _resets(found["reset"]),
        found["origin"].astype(np.uint8, copy=False),
    )


def _columns(found: dict[str, NDArray[Any]]) -> Columns:
    return Columns(
        found["series"].astype(np.int32),
        found["ts"].astype(np.int64),
        _floats(found["value"]),
        _resets(found["reset"]),
        found["origin"].astype(np.uint8),
    )


def _floats(column: NDArray[Any]) -> NDArray[np.float64]:
    """Return a column with NaN where DuckDB has null."""
    if isinstance(column, np.ma.MaskedArray):
        return np.asarray(column.filled(np.nan), np.float64)
    return column.astype(np.float64, copy=False)


def _resets(column: NDArray[Any]) -> NDArray[np.int64]:
    """Return a column with NO_RESET where DuckDB has null."""
    if isinstance(column, np.ma.MaskedArray):
        return np.asarray(column.filled(NO_RESET), np.int64)
    return column.astype(np.int64, copy=False)

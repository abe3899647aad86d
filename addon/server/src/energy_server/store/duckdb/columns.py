"""Readings as numpy columns: made from batches, one row per instant, split by UTC month. Pure.

In:   ReadingBatches, and the number of each series.
Out:  Columns ordered by (series, ts_us) without duplicates, whole or by month.
Failures: none that are expected; batches are validated before they come here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from energy_server.model.reading import NO_RESET, ReadingBatch
from energy_server.store import arrivals

EPOCH_YEAR = 1970
MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings of any series as parallel columns; NaN = null. The names are the names in the store."""

    series: NDArray[np.int32]
    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    reset: NDArray[np.int64]
    origin: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of readings."""
        return len(self.ts)

    def pick(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Columns:
        """Return some of the rows."""
        return Columns(self.series[rows], self.ts[rows], self.value[rows], self.reset[rows], self.origin[rows])

    def as_dict(self) -> dict[str, NDArray[np.generic]]:
        """Return the columns by name, as DuckDB scans them: it takes NaN and masked values as null."""
        columns = {column.name: getattr(self, column.name) for column in fields(self)}
        absent = self.reset == NO_RESET
        return columns | {"reset": np.ma.masked_array(self.reset, absent)}  # type: ignore[no-untyped-call]


def from_batches(batches: Sequence[ReadingBatch], number: Callable[[str, str], int]) -> Columns:
    """Return all readings of the batches in their order, as they came."""
    return concatenated([_from_batch(batch, number) for batch in batches if len(batch)])


def concatenated(parts: Sequence[Columns]) -> Columns:
    """Return the rows of all parts, in their order."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        empty = np.empty(0, np.int64)
        return Columns(empty.astype(np.int32), empty, empty.astype(np.float64), empty, empty.astype(np.uint8))
    return Columns(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Columns)))


def _from_batch(batch: ReadingBatch, number: Callable[[str, str], int]) -> Columns:
    rows = len(batch)
    numbers = {key: number(batch.site, key) for key in set(batch.keys)}
    return Columns(
        np.fromiter((numbers[key] for key in batch.keys), np.int32, rows),
        np.array(batch.ts_us, np.int64),
        np.array(batch.values, np.float64),
        np.fromiter((NO_RESET if reset is None else reset for reset in batch.reset_us), np.int64, rows),
        np.full(rows, batch.origin, np.uint8),
    )


def one_row_per_instant(columns: Columns) -> Columns:
    """Return the rows ordered by (series, ts), one for each instant: the last live one, else the first of all."""
    return columns.pick(arrivals.one_per_instant(columns.series, columns.ts, columns.origin))


def last_of_each(columns: Columns) -> Columns:
    """Return the newest row of each series, of columns ordered by (series, ts)."""
    return columns.pick(arrivals.last_of_each(columns.series))


def months_of(ts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the UTC month of each instant, counted from January 1970."""
    return ts.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)


def month_of(ts_us: int) -> int:
    """Return the UTC month of an instant, counted from January 1970."""
    return int(months_of(np.array([ts_us]))[0])


def by_month(columns: Columns) -> Iterator[tuple[int, Columns]]:
    """Yield each month that has rows, oldest first, with its rows in their order."""
    months = months_of(columns.ts)
    for month in np.unique(months).tolist():
        yield month, columns.pick(months == month)


def month_start_us(month: int) -> int:
    """Return the first instant of a UTC month."""
    return int(np.datetime64(month, "M").astype("datetime64[us]").astype(np.int64))


def month_name(month: int) -> str:
    """Return a month's name in file names, such as `2026_10`."""
    year, index = divmod(month, MONTHS_PER_YEAR)
    return f"{EPOCH_YEAR + year:04}_{index + 1:02}"


def month_named(name: str) -> int:
    """Return the month of a name such as `2026_10`."""
    year, index = name.split("_")
    return (int(year) - EPOCH_YEAR) * MONTHS_PER_YEAR + int(index) - 1

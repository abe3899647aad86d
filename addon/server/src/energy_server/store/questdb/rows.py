"""Readings as numpy columns, made from batches, one row per instant; and rows as they are written. Pure.

In:   ReadingBatches.
Out:  Columns ordered by (series, ts_us) without duplicates, and the (site, key) that each series number stands for.
Failures: none that are expected; batches are validated before they come here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from energy_server.model.reading import NO_RESET, ReadingBatch
from energy_server.store import arrivals

type Pair = tuple[str, str]
"""Site and key."""


class NewRow(NamedTuple):
    """One row; a column that is None is stored as null."""

    table: str
    symbols: dict[str, str | None]
    columns: dict[str, Any]
    ts_us: int


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings of any series as parallel columns; NaN = null. `series` is a place in `pairs`."""

    pairs: Sequence[Pair]
    series: NDArray[np.int32]
    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    reset: NDArray[np.int64]
    origin: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of readings."""
        return len(self.ts)

    def pick(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Columns:
        """Return some of the rows."""
        return Columns(
            self.pairs, self.series[rows], self.ts[rows], self.value[rows], self.reset[rows], self.origin[rows]
        )


def from_batches(batches: Sequence[ReadingBatch]) -> Columns:
    """Return all readings of the batches, ordered, one for each instant: the last live one, else the first of all."""
    places: dict[Pair, int] = {}
    series: list[int] = []
    for batch in batches:
        known = {key: places.setdefault((batch.site, key), len(places)) for key in dict.fromkeys(batch.keys)}
        series.extend(known[key] for key in batch.keys)
    resets = [NO_RESET if reset is None else reset for batch in batches for reset in batch.reset_us]
    rows = Columns(
        list(places),
        np.array(series, np.int32),
        np.array([ts for batch in batches for ts in batch.ts_us], np.int64),
        np.array([value for batch in batches for value in batch.values], np.float64),
        np.array(resets, np.int64),
        np.repeat(np.array([batch.origin for batch in batches], np.uint8), [len(batch) for batch in batches]),
    )
    return rows.pick(arrivals.one_per_instant(rows.series, rows.ts, rows.origin))


def last_of_each(rows: Columns) -> Columns:
    """Return the newest row of each series, of columns ordered by (series, ts)."""
    return rows.pick(arrivals.last_of_each(rows.series))

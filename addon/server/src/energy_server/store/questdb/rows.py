"""Readings as numpy columns, made from batches, one row per instant; and rows as they are written. Pure.

In:   ReadingBatches.
Out:  Columns ordered by (series, ts_us) without duplicates, and the (site, key) that each series number stands for.
Failures: none that are expected; batches are validated before they come here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from energy_server.model.reading import NO_RESET, ReadingBatch
from energy_server.store import arrivals

type Pair = tuple[str, str]
"""Site and key."""


type NewRow = tuple[str, dict[str, str | None], dict[str, Any], int]
"""Table, symbols, other columns and instant of a row; a column that is None, or left out, is stored as null."""


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
    rows = Columns(
        list(places),
        np.array(series, np.int32),
        np.array([ts for batch in batches for ts in batch.ts_us], np.int64),
        np.array([value for batch in batches for value in batch.values], np.float64),
        _resets([reset for batch in batches for reset in batch.reset_us]),
        np.repeat(np.array([batch.origin for batch in batches], np.uint8), [len(batch) for batch in batches]),
    )
    return rows.pick(arrivals.one_per_instant(rows.series, rows.ts, rows.origin))


def _resets(known: list[int | None]) -> NDArray[np.int64]:
    if known.count(None) == len(known):  # the usual case
        return np.full(len(known), NO_RESET, np.int64)
    return np.array([NO_RESET if reset is None else reset for reset in known], np.int64)


def last_of_each(rows: Columns) -> Columns:
    """Return the newest row of each series, of columns ordered by (series, ts)."""
    return rows.pick(arrivals.last_of_each(rows.series))


def new_rows(table: str, rows: Columns) -> Iterator[NewRow]:
    """Yield rows for the writer in the order of time, which QuestDB takes in faster than any other."""
    symbols: list[dict[str, str | None]] = [{"site": site, "key": key} for site, key in rows.pairs]
    in_time = rows.pick(np.argsort(rows.ts, kind="stable"))
    columns = zip(
        in_time.series.tolist(),
        in_time.ts.tolist(),
        in_time.value.tolist(),
        in_time.reset.tolist(),
        in_time.origin.tolist(),
        strict=True,
    )
    for place, ts_us, value, reset, origin in columns:
        known = None if value != value else value  # noqa: PLR0124 NaN is null
        if reset == NO_RESET:
            yield table, symbols[place], {"value": known, "origin": origin}, ts_us
        else:
            yield table, symbols[place], {"value": known, "reset": reset, "origin": origin}, ts_us

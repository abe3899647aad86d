"""The Statistics that count, of each Entity: one choice per Entity and hour, and sums of them between edges. Pure.

In:   rollups of 5 minutes, rollups of hours (used for an Entity that has none of 5 minutes), imported hours.
Out:  `Series` of an Entity: rows of 5 minutes and rows of hours that do not overlap.

An imported hour counts where the rollup's Coverage of that hour lacks more than `COVERAGE_TOLERANCE_S`; elsewhere, and
where no hour was imported, the rollup counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US, Provenance, StatisticColumns

COVERAGE_TOLERANCE_S = 300
US_PER_S = 1_000_000
PARTS = HOUR_US // FIVE_MINUTES_US

type Instants = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """Periods of one length, ascending, without those of unknown change."""

    start_us: Instants
    change: NDArray[np.float64]
    provenance: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of periods."""
        return len(self.start_us)

    def only(self, chosen: NDArray[np.bool]) -> Rows:
        """Return some of the rows."""
        return Rows(self.start_us[chosen], self.change[chosen], self.provenance[chosen])

    def divided(self) -> Rows:
        """Return hours as 5 minutes, pro rata: edges in half-hour zones lie inside UTC hours."""
        parts = np.arange(PARTS, dtype=np.int64) * FIVE_MINUTES_US
        start_us = (self.start_us[:, None] + parts).ravel()
        return Rows(start_us, np.repeat(self.change / PARTS, PARTS), np.repeat(self.provenance, PARTS))


NO_ROWS = Rows(np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8))


@dataclass(frozen=True, slots=True)
class Series:
    """What counts of one Entity: `five` and `hours` do not overlap."""

    five: Rows
    hours: Rows

    def sums(self, edges_us: Instants) -> NDArray[np.float64]:
        """Return the change between consecutive edges; NaN where nothing is known."""
        known = self.known(edges_us)
        total = sum(sums(rows.change, rows.start_us, edges_us) for rows in self._aligned(edges_us))
        return np.where(known > 0, total, np.nan)

    def known(self, edges_us: Instants) -> Instants:
        """Return how many periods of 5 minutes are known between consecutive edges."""
        counts = [
            np.diff(np.searchsorted(rows.start_us, edges_us)) * weight
            for rows, weight in zip(self._aligned(edges_us), self._weights(edges_us), strict=True)
        ]
        return np.asarray(counts[0] + counts[1], np.int64)

    def worst(self, edges_us: Instants) -> NDArray[np.uint8]:
        """Return the worst Provenance between consecutive edges, MEASURED where there is no row."""
        worst = np.zeros(len(edges_us) - 1, np.uint8)
        for rows in self._aligned(edges_us):
            at = np.searchsorted(rows.start_us, edges_us)
            some = np.flatnonzero(at[1:] > at[:-1])
            if len(some):
                found = np.maximum.reduceat(rows.provenance[: at[-1]], at[:-1][some])
                worst[some] = np.maximum(worst[some], found)
        return worst

    @property
    def first_us(self) -> int | None:
        """Return the start of the first row."""
        starts = [int(rows.start_us[0]) for rows in (self.five, self.hours) if len(rows)]
        return min(starts, default=None)

    def _aligned(self, edges_us: Instants) -> tuple[Rows, Rows]:
        return self.five, self.hours if on_hours(edges_us) else self.hours.divided()

    @staticmethod
    def _weights(edges_us: Instants) -> tuple[int, int]:
        return 1, PARTS if on_hours(edges_us) else 1


NO_SERIES = Series(NO_ROWS, NO_ROWS)


def on_hours(edges_us: Instants) -> bool:
    """Say whether no edge lies inside a UTC hour."""
    return not np.any(edges_us % HOUR_US)


def sums(values: NDArray[np.float64], start_us: Instants, edges_us: Instants) -> NDArray[np.float64]:
    """Return the sum of the values whose ascending starts lie between consecutive edges; 0 where there is none."""
    at = np.searchsorted(start_us, edges_us)
    total = np.zeros(len(edges_us) - 1)
    some = np.flatnonzero(at[1:] > at[:-1])
    if len(some):
        total[some] = np.add.reduceat(values[: at[-1]], at[:-1][some])
    return total


def series(
    keys: Sequence[str], five: StatisticColumns, hours: StatisticColumns, imported: StatisticColumns
) -> dict[str, Series]:
    """Choose what counts for each key; columns must be ordered by (place, start_us)."""
    fives, rolled, imports = (_by_key(columns) for columns in (five, hours, imported))
    return {key: _choose(fives.get(key), rolled.get(key), imports.get(key)) for key in keys}


@dataclass(frozen=True, slots=True)
class _Found:
    """The rows of one Entity, those of unknown change included, with their Coverage."""

    rows: Rows
    covered_s: NDArray[np.float64]

    def known(self) -> Rows:
        unknown = np.isnan(self.rows.change)
        return self.rows.only(~unknown) if unknown.any() else self.rows


def _by_key(columns: StatisticColumns) -> dict[str, _Found]:
    borders = np.searchsorted(columns.place, np.arange(len(columns.keys) + 1, dtype=columns.place.dtype))
    found = {}
    for place, key in enumerate(columns.keys):
        rows = slice(borders[place], borders[place + 1])
        if borders[place] < borders[place + 1]:
            found[key] = _Found(
                Rows(columns.start_us[rows], columns.change[rows], columns.provenance[rows]), columns.covered_s[rows]
            )
    return found


def _choose(five: _Found | None, hours: _Found | None, imported: _Found | None) -> Series:
    rolled = five or hours
    imports = imported.known() if imported else NO_ROWS
    imports = Rows(imports.start_us, imports.change, np.full(len(imports), Provenance.STATISTICS, np.uint8))
    if rolled is None:
        return Series(NO_ROWS, imports)
    if len(imports):
        kept, imports = _preferred(rolled, imports)
    else:
        kept = rolled.known()
    return Series(kept, imports) if five else Series(NO_ROWS, _merged(kept, imports))


def _preferred(rolled: _Found, imports: Rows) -> tuple[Rows, Rows]:
    """Return the rollup's rows and the imported hours that count, by slots of an hour from the first import on."""
    zero_us = int(imports.start_us[0])
    slots = (int(imports.start_us[-1]) - zero_us) // HOUR_US + 1
    low, high = np.searchsorted(rolled.rows.start_us, (zero_us, zero_us + slots * HOUR_US))
    slot = (rolled.rows.start_us[low:high] - zero_us) // HOUR_US
    covered_s = np.bincount(slot, rolled.covered_s[low:high], slots)
    import_slot = (imports.start_us - zero_us) // HOUR_US
    better = covered_s[import_slot] < HOUR_US // US_PER_S - COVERAGE_TOLERANCE_S
    kept = rolled.known()
    if not better.any():
        return kept, NO_ROWS
    replaced = np.zeros(slots, np.bool)
    replaced[import_slot[better]] = True
    low, high = np.searchsorted(kept.start_us, (zero_us, zero_us + slots * HOUR_US))
    keep = np.ones(len(kept), np.bool)
    keep[low:high] = ~replaced[(kept.start_us[low:high] - zero_us) // HOUR_US]
    return kept.only(keep), imports.only(better)


def _merged(one: Rows, other: Rows) -> Rows:
    if len(one) == 0 or len(other) == 0:
        return one if len(one) else other
    start_us = np.concatenate((one.start_us, other.start_us))
    order = np.argsort(start_us)
    return Rows(
        start_us[order],
        np.concatenate((one.change, other.change))[order],
        np.concatenate((one.provenance, other.provenance))[order],
    )

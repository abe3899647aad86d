"""The Statistics that count, of each Entity: one choice per Entity and hour, and sums of them between edges. Pure.

In:   rollups of 5 minutes, rollups of hours (used for an Entity that has none of 5 minutes), imported hours.
Out:  `Series` of an Entity: rows of 5 minutes and rows of hours that do not overlap; `Tally`: its sums between edges.

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

    @property
    def first_us(self) -> int | None:
        """Return the start of the first row."""
        return min((int(rows.start_us[0]) for rows in (self.five, self.hours) if len(rows)), default=None)


def on_hours(edges_us: Instants) -> bool:
    """Say whether no edge lies inside a UTC hour."""
    return not np.any(edges_us % HOUR_US)


@dataclass(frozen=True, slots=True)
class Bins:
    """Ascending starts sorted into the intervals between edges: how many in each, where those of each begin."""

    count: NDArray[np.intp]
    some: NDArray[np.intp]
    first: NDArray[np.intp]
    stop: int

    @classmethod
    def of(cls, start_us: Instants, edges_us: Instants) -> Bins:
        """Sort them in."""
        at = np.searchsorted(start_us, edges_us)
        count = np.diff(at)
        some = np.flatnonzero(count)
        return cls(count, some, at[some], int(at[-1]))

    def add(self, values: NDArray[np.float64], sums: NDArray[np.float64]) -> None:
        """Add the values of each interval to its sum."""
        if len(self.some):
            sums[self.some] += np.add.reduceat(values[: self.stop], self.first)

    def worsen(self, provenance: NDArray[np.uint8], worst: NDArray[np.uint8]) -> None:
        """Let each interval be as bad as its worst period."""
        if len(self.some):
            found = np.maximum.reduceat(provenance[: self.stop], self.first)
            worst[self.some] = np.maximum(worst[self.some], found)


@dataclass(frozen=True, slots=True)
class Tally:
    """One Series between edges; `known`: how many periods of 5 minutes of each interval are known."""

    first_us: int | None
    known: NDArray[np.int64]
    parts: tuple[tuple[Rows, Bins], tuple[Rows, Bins]]

    @classmethod
    def of(cls, one: Series, edges_us: Instants) -> Tally:
        """Sort its rows into the intervals."""
        hours, weight = (one.hours, PARTS) if on_hours(edges_us) else (one.hours.divided(), 1)
        five_bins, hour_bins = Bins.of(one.five.start_us, edges_us), Bins.of(hours.start_us, edges_us)
        known = five_bins.count + weight * hour_bins.count
        return cls(one.first_us, known.astype(np.int64), ((one.five, five_bins), (hours, hour_bins)))

    def sums(self) -> NDArray[np.float64]:
        """Return the change of each interval; NaN where nothing is known."""
        total = np.zeros(len(self.known))
        for rows, bins in self.parts:
            bins.add(rows.change, total)
        return np.where(self.known > 0, total, np.nan)

    def worst(self) -> NDArray[np.uint8]:
        """Return the worst Provenance of each interval, MEASURED where there is no row."""
        worst = np.zeros(len(self.known), np.uint8)
        for rows, bins in self.parts:
            bins.worsen(rows.provenance, worst)
        return worst


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

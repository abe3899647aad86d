"""The Statistics that count, of one Entity, and their sums between edges. Pure.

In:   rows of 5 minutes and rows of hours that do not overlap (chosen by `precedence.py`), edges.
Out:  `Tally`: what changed between edges, how much of that is known, and how well.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US

PARTS = HOUR_US // FIVE_MINUTES_US
COVERAGE_TOLERANCE_S = 300
"""An hour of which Coverage lacks no more than this is as good as an imported one."""

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

    def only(self, chosen: NDArray[np.bool] | NDArray[np.intp]) -> Rows:
        """Return some of the rows."""
        return Rows(self.start_us[chosen], self.change[chosen], self.provenance[chosen])

    def cut(self, part: slice) -> Rows:
        """Return consecutive rows."""
        return Rows(self.start_us[part], self.change[part], self.provenance[part])

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
        at = _places(start_us, edges_us)
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


def _places(start_us: Instants, edges_us: Instants) -> NDArray[np.intp]:
    """Return how many of the starts lie before each edge; without a hole they need not be searched for, but counted."""
    if len(start_us) > 1:
        period_us = start_us[1] - start_us[0]
        if (np.diff(start_us) == period_us).all():
            return np.asarray(np.clip(-((start_us[0] - edges_us) // period_us), 0, len(start_us)), np.intp)
    return np.searchsorted(start_us, edges_us)


@dataclass(frozen=True, slots=True)
class Tally:
    """One Series between edges; `known`: how many periods of 5 minutes of each interval are known."""

    known: NDArray[np.int64]
    parts: tuple[tuple[Rows, Bins], tuple[Rows, Bins]]

    @classmethod
    def of(cls, one: Series, edges_us: Instants) -> Tally:
        """Sort its rows into the intervals."""
        hours, weight = (one.hours, PARTS) if on_hours(edges_us) else (one.hours.divided(), 1)
        five_bins, hour_bins = Bins.of(one.five.start_us, edges_us), Bins.of(hours.start_us, edges_us)
        known = five_bins.count + weight * hour_bins.count
        return cls(known.astype(np.int64), ((one.five, five_bins), (hours, hour_bins)))

    def amounts(self) -> NDArray[np.float64]:
        """Return the change of each interval, 0 where nothing is known."""
        total = np.zeros(len(self.known))
        for rows, bins in self.parts:
            bins.add(rows.change, total)
        return total

    def worst(self) -> NDArray[np.uint8]:
        """Return the worst Provenance of each interval, MEASURED where there is no row."""
        worst = np.zeros(len(self.known), np.uint8)
        for rows, bins in self.parts:
            bins.worsen(rows.provenance, worst)
        return worst

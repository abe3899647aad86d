"""Cells: consecutive periods of a home's energy, struck once and summed to any interval. Pure.

In:   what counts of each Entity (`precedence.py`), the borders of the cells.
Out:  `Cells`, which may be kept, cut and put together; `Sums` of them between edges.

What a cell holds depends on the Statistics of its own UTC hours and of the shaped stretches that these are part of, and
on nothing else, above all not on the span that was asked for. So every answer is a sum of the same numbers, and any
partition of a span gives the sum of the span. Cells of a day are sums of those of its hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.flows import FLOWS
from energy_server.energy.meters import Meters, Source
from energy_server.energy.periods import DAY_US
from energy_server.energy.series import Bins, Instants, Series, Tally
from energy_server.energy.slots import Slots


@dataclass(frozen=True, slots=True)
class Cells:
    """One column for each cell, ascending in time; one row for each flow, source, or key that is needed.

    `known`: how many periods of 5 minutes of the cell are known of a key; `worst`: how well; `heard`: whether anything
    is known of a source; `greatest`: of cells of a day the greatest change of an hour, up or down; others have no such
    rows.
    """

    start_us: Instants
    flows: NDArray[np.float64]
    heard: NDArray[np.bool]
    change: NDArray[np.float64]
    known: NDArray[np.unsignedinteger[Any]]
    worst: NDArray[np.uint8]
    greatest: NDArray[np.float64]

    @classmethod
    def nothing(cls, keys: int) -> Cells:
        """Return no cells."""
        return cls(
            np.empty(0, np.int64),
            np.empty((len(FLOWS), 0)),
            np.empty((len(Source), 0), np.bool),
            np.empty((keys, 0)),
            np.empty((keys, 0), np.uint8),
            np.empty((keys, 0), np.uint8),
            np.empty((keys, 0)),
        )

    @classmethod
    def together(cls, parts: Sequence[Cells]) -> Cells:
        """Return consecutive parts, of which there must be one, as one."""
        parts = [part for part in parts if len(part)] or parts[:1]
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.start_us for part in parts]),
            np.concatenate([part.flows for part in parts], axis=1),
            np.concatenate([part.heard for part in parts], axis=1),
            np.concatenate([part.change for part in parts], axis=1),
            np.concatenate([part.known for part in parts], axis=1),
            np.concatenate([part.worst for part in parts], axis=1),
            np.concatenate([part.greatest for part in parts], axis=1),
        )

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.start_us)

    @property
    def size_bytes(self) -> int:
        """Return how much memory they take."""
        columns = (self.start_us, self.flows, self.heard, self.change, self.known, self.worst, self.greatest)
        return sum(column.nbytes for column in columns)

    def of(self, units: Instants, unit_us: int) -> Cells:
        """Return the cells of some days, or hours: ascending numbers, counted from 1970."""
        if len(units) == 0:
            return self.pick(slice(0, 0))
        first, stop = np.searchsorted(self.start_us, (units[0] * unit_us, (units[-1] + 1) * unit_us))
        some = self.pick(slice(int(first), int(stop)))
        if units[-1] - units[0] + 1 == len(units):
            return some
        wanted = np.zeros(units[-1] - units[0] + 1, np.bool)
        wanted[units - units[0]] = True
        return some.pick(wanted[some.start_us // unit_us - units[0]])

    def pick(self, cells: slice | NDArray[np.bool] | NDArray[np.intp]) -> Cells:
        """Return some cells; a slice is a view."""
        return Cells(
            self.start_us[cells],
            self.flows[:, cells],
            self.heard[:, cells],
            self.change[:, cells],
            self.known[:, cells],
            self.worst[:, cells],
            self.greatest[:, cells],
        )

    def copy(self) -> Cells:
        """Return cells that keep nothing else in memory."""
        return self.pick(np.arange(len(self)))

    def told(self) -> NDArray[np.bool]:
        """Say of which cells anything is known."""
        return np.asarray(self.known.any(axis=0) | self.heard.any(axis=0), np.bool)


def strike(home: Meters, chosen: dict[str, Series], borders_us: Instants) -> Cells:
    """Return the cells between borders; those of which nothing is known are left out."""
    keys = home.keys
    tallies = [Tally.of(chosen[key], borders_us) for key in keys]
    slots = Slots.around(borders_us, [chosen[key] for key in home.balance_keys], len(home.contributions))
    for contribution in home.contributions:
        slots.add(contribution, chosen[contribution.key])
    summed = slots.balanced(borders_us)
    count = len(borders_us) - 1
    heard = np.array([slots.shared(source, borders_us) for source in Source]).reshape(-1, count)
    row = dict(zip(Source, heard, strict=True))
    known = np.array([tally.known for tally in tallies], np.uint8).reshape(-1, count)
    place = {key: at for at, key in enumerate(keys)}
    for contribution in home.contributions:
        row[contribution.source] |= known[place[contribution.key]] > 0
    struck = Cells(
        borders_us[:-1],
        np.array([summed[name] for name in FLOWS]),
        heard,
        np.array([tally.amounts() for tally in tallies]).reshape(-1, count),
        known,
        np.array([tally.worst() for tally in tallies], np.uint8).reshape(-1, count),
        np.empty((0, count)),
    )
    told = struck.told()
    return struck if told.all() else struck.pick(told)


def daily(hours: Cells) -> Cells:
    """Return the cells of the UTC days whose hours these are."""
    days, first = np.unique(hours.start_us // DAY_US, return_index=True)
    if len(days) == 0:
        return hours
    return Cells(
        days * DAY_US,
        np.add.reduceat(hours.flows, first, axis=1),
        np.logical_or.reduceat(hours.heard, first, axis=1),
        np.add.reduceat(hours.change, first, axis=1),
        np.add.reduceat(hours.known, first, axis=1, dtype=np.uint16),
        np.maximum.reduceat(hours.worst, first, axis=1),
        np.maximum.reduceat(np.abs(hours.change), first, axis=1),
    )


@dataclass(frozen=True, slots=True)
class Days:
    """Days of which something is known, as numbers, and the greatest change of an hour of each key, up or down."""

    day: Instants
    greatest: NDArray[np.float64]

    @classmethod
    def of(cls, parts: Sequence[Cells]) -> Days:
        """Return those of consecutive cells of days, of which there must be some, or none."""
        parts = [part for part in parts if len(part)] or parts[:1]
        start_us = np.concatenate([part.start_us for part in parts])
        return cls(start_us // DAY_US, np.concatenate([part.greatest for part in parts], axis=1))


@dataclass(frozen=True, slots=True)
class Sums:
    """Cells summed between edges, in the same rows; `change` is NaN where nothing is known."""

    flows: NDArray[np.float64]
    heard: NDArray[np.bool]
    change: NDArray[np.float64]
    known: NDArray[np.int64]
    worst: NDArray[np.uint8]


class Summing:
    """The sums of cells of any lengths that no edge divides, while they are added up."""

    def __init__(self, keys: int, edges_us: Instants) -> None:
        count = len(edges_us) - 1
        self._edges_us = edges_us
        self._flows = np.zeros((len(FLOWS), count))
        self._heard = np.zeros((len(Source), count), np.bool)
        self._change = np.zeros((keys, count))
        self._known = np.zeros((keys, count), np.int64)
        self._worst = np.zeros((keys, count), np.uint8)

    def add(self, cells: Cells) -> None:
        """Add ascending cells to the intervals that they start in; those before and after are left out."""
        if len(cells) == 0:
            return
        low, high = np.searchsorted(self._edges_us, cells.start_us[[0, -1]], side="right")
        first, stop = max(0, int(low) - 1), min(len(self._edges_us) - 1, int(high))
        if first >= stop:
            return
        bins = Bins.of(cells.start_us, self._edges_us[first : stop + 1])
        if len(bins.some) == 0:
            return
        at, inside = first + bins.some, slice(0, bins.stop)
        self._flows[:, at] += np.add.reduceat(cells.flows[:, inside], bins.first, axis=1)
        self._heard[:, at] |= np.logical_or.reduceat(cells.heard[:, inside], bins.first, axis=1)
        self._change[:, at] += np.add.reduceat(cells.change[:, inside], bins.first, axis=1)
        self._known[:, at] += np.add.reduceat(cells.known[:, inside], bins.first, axis=1, dtype=np.int64)
        worst = np.maximum.reduceat(cells.worst[:, inside], bins.first, axis=1)
        self._worst[:, at] = np.maximum(self._worst[:, at], worst)

    def sums(self) -> Sums:
        """Return the sums of what was added."""
        self._change[self._known == 0] = np.nan
        return Sums(self._flows, self._heard, self._change, self._known, self._worst)

"""Cells: consecutive periods of a home's energy, struck once and summed to any interval. Pure.

In:   what counts of each Entity (`precedence.py`), the borders of the cells.
Out:  `Cells`, which may be kept, cut and put together; `Sums` of them between edges.

What a cell holds depends on the Statistics of its own UTC hour and of the shaped stretch that the hour is part of, and
on nothing else, above all not on the span that was asked for. So every answer is a sum of the same numbers, and any
partition of a span gives the sum of the span.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.flows import FLOWS
from energy_server.energy.meters import Meters, Source
from energy_server.energy.series import Bins, Instants, Series, Tally
from energy_server.energy.slots import Slots
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US

QUARTER_US = 3 * FIVE_MINUTES_US
CELLS_US = (HOUR_US, QUARTER_US, FIVE_MINUTES_US)
"""Longest first: whole hours in most zones, quarters where local days begin inside UTC hours."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One column for each cell, ascending in time; one row for each flow, source, or key that is needed.

    `known`: how many periods of 5 minutes of the cell are known of a key; `worst`: how well; `heard`: whether anything
    is known of a source.
    """

    start_us: Instants
    flows: NDArray[np.float64]
    heard: NDArray[np.bool]
    change: NDArray[np.float64]
    known: NDArray[np.uint8]
    worst: NDArray[np.uint8]

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
        )

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.start_us)

    @property
    def size_bytes(self) -> int:
        """Return how much memory they take."""
        columns = (self.start_us, self.flows, self.heard, self.change, self.known, self.worst)
        return sum(column.nbytes for column in columns)

    def within(self, start_us: int, end_us: int) -> Cells:
        """Return the cells that start in the span."""
        first, stop = np.searchsorted(self.start_us, (start_us, end_us))
        return self.pick(slice(int(first), int(stop)))

    def pick(self, cells: slice | NDArray[np.bool] | NDArray[np.intp]) -> Cells:
        """Return some cells; a slice is a view."""
        return Cells(
            self.start_us[cells],
            self.flows[:, cells],
            self.heard[:, cells],
            self.change[:, cells],
            self.known[:, cells],
            self.worst[:, cells],
        )

    def told(self) -> NDArray[np.bool]:
        """Say of which cells anything is known."""
        return np.asarray(self.known.any(axis=0) | self.heard.any(axis=0), np.bool)


@dataclass(frozen=True, slots=True)
class Sums:
    """Cells summed between edges, in the same rows; `change` is NaN where nothing is known."""

    flows: NDArray[np.float64]
    heard: NDArray[np.bool]
    change: NDArray[np.float64]
    known: NDArray[np.int64]
    worst: NDArray[np.uint8]


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
    )
    told = struck.told()
    return struck if told.all() else struck.pick(told)


def sums(cells: Cells, edges_us: Instants) -> Sums:
    """Return the sums of the cells that start between edges."""
    bins = Bins.of(cells.start_us, edges_us)
    count = len(edges_us) - 1
    known = bins.totals(cells.known, np.dtype(np.int64))
    change = bins.totals(cells.change, np.dtype(np.float64))
    change[known == 0] = np.nan
    worst = np.zeros((len(cells.worst), count), np.uint8)
    heard = np.zeros((len(cells.heard), count), np.bool)
    if len(bins.some):
        worst[:, bins.some] = np.maximum.reduceat(cells.worst[:, : bins.stop], bins.first, axis=1)
        heard[:, bins.some] = np.logical_or.reduceat(cells.heard[:, : bins.stop], bins.first, axis=1)
    return Sums(bins.totals(cells.flows, np.dtype(np.float64)), heard, change, known, worst)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a span, and the length of its cells."""

    start_us: int
    end_us: int
    cell_us: int


def layout(edges_us: Instants) -> list[Stretch]:
    """Return the longest cells that no edge divides: 5 minutes where the span begins or ends inside of longer ones.

    An edge inside of 5 minutes counts as their end: a period belongs to the interval in which it starts.
    """
    inner = edges_us[1:-1]
    cell_us = next((cell_us for cell_us in CELLS_US if not (inner % cell_us).any()), FIVE_MINUTES_US)
    start_us, end_us = (-(-int(edge) // FIVE_MINUTES_US) * FIVE_MINUTES_US for edge in edges_us[[0, -1]])
    first_us, last_us = -(-start_us // cell_us) * cell_us, end_us // cell_us * cell_us
    if first_us >= last_us:
        parts = [Stretch(start_us, end_us, FIVE_MINUTES_US)]
    else:
        parts = [
            Stretch(start_us, first_us, FIVE_MINUTES_US),
            Stretch(first_us, last_us, cell_us),
            Stretch(last_us, end_us, FIVE_MINUTES_US),
        ]
    return [part for part in parts if part.start_us < part.end_us]

"""The balance over a span: struck for every 5 minutes, or for the hour where nothing finer is known, and summed. Pure.

In:   the Series of each Entity that contributes to a measured flow.
Out:  all flows between edges.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.balance import Measured, balance
from energy_server.energy.coarse import settle
from energy_server.energy.flows import FLOWS
from energy_server.energy.meters import Contribution, MeasuredFlow, Part, Source
from energy_server.energy.series import PARTS, Bins, Rows, Series, on_hours
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US

type Instants = NDArray[np.int64]
type Energy = NDArray[np.float64]
type Flowed = tuple[dict[str, Energy], Instants]
"""Columns by flow, and the starts of their periods."""

BLOCK = 682 * PARTS
"""Slots that are balanced at once: few enough to stay in the processor's cache, which is three times as fast."""


@dataclass(frozen=True, slots=True)
class Slots:
    """The measured flows of every 5 minutes and of every hour of the span.

    An hour that is `hourly` is balanced as a whole. `heard`: in which hours something is known of a source; `filled`:
    how many contributions are known in each 5 minutes, of the `contributions` that there are.
    """

    start_us: int
    five: dict[str, Energy]
    hour: dict[str, Energy]
    hourly: NDArray[np.bool]
    heard: dict[Source, NDArray[np.bool]]
    filled: NDArray[np.uint8]
    contributions: int

    @classmethod
    def around(cls, edges_us: Instants, known: Collection[Series], contributions: int) -> Slots:
        """Return empty slots for the UTC hours of the span in which something is known; the span may be endless."""
        rows = [part.start_us for one in known for part in (one.five, one.hours) if len(part)]
        first_us = min((int(starts[0]) for starts in rows), default=0)
        last_us = max((int(starts[-1]) for starts in rows), default=0)
        start_us = max(int(edges_us[0]), first_us) // HOUR_US * HOUR_US
        end_us = min(int(edges_us[-1]), last_us + HOUR_US)
        count = max(0, -((start_us - end_us) // HOUR_US))
        return cls(
            start_us,
            {flow: np.zeros(count * PARTS) for flow in MeasuredFlow},
            {flow: np.zeros(count) for flow in MeasuredFlow},
            np.zeros(count, np.bool),
            {source: np.zeros(count, np.bool) for source in Source},
            np.zeros(count * PARTS, np.uint8),
            contributions,
        )

    def add(self, contribution: Contribution, one: Series) -> None:
        """Add an Entity's part to its flow."""
        five = _scatter(self.five[contribution.flow], one.five, contribution.part, self.start_us, FIVE_MINUTES_US)
        hours = _scatter(self.hour[contribution.flow], one.hours, contribution.part, self.start_us, HOUR_US)
        self.hourly[hours] = True
        self.heard[contribution.source][hours] = True
        self.heard[contribution.source][_hours_of(five)] = True
        self.filled[five] += 1

    def shared(self, source: Source, edges_us: Instants) -> NDArray[np.bool]:
        """Say which intervals have a part of an hour that was balanced as a whole and in which the source was heard."""
        hours = np.flatnonzero(self.hourly & self.heard[source])
        return Bins.of(_divisions(self.start_us + hours * HOUR_US), edges_us).count > 0

    def _complete(self) -> NDArray[np.bool]:
        """Say in which hours each 5 minutes of each contribution is known."""
        known = self.filled.reshape(-1, PARTS) == self.contributions
        return np.asarray(known.all(axis=1), np.bool)

    def balanced(self, edges_us: Instants) -> dict[str, Energy]:
        """Return all flows between edges: the balance of each slot, summed."""
        hour_us = self.start_us + np.arange(len(self.hourly), dtype=np.int64) * HOUR_US
        if not self.hourly.any():
            settle(self.five, self._complete())
            return _summed([(self.five, _divisions(hour_us))], edges_us)
        fine, coarse = np.flatnonzero(~self.hourly), np.flatnonzero(self.hourly)
        five = {flow: column.reshape(-1, PARTS) for flow, column in self.five.items()}
        fives: dict[str, Energy] = {flow: column[fine].ravel() for flow, column in five.items()}
        settle(fives, self._complete()[fine])
        hours: dict[str, Energy] = {
            flow: self.hour[flow][coarse] + five[flow][coarse].sum(axis=1) for flow in MeasuredFlow
        }
        parts: list[Flowed] = [(fives, _divisions(hour_us[fine]))]
        if on_hours(edges_us):
            parts.append((hours, hour_us[coarse]))
        else:  # pro rata
            parts.append(({flow: np.repeat(hours[flow] / PARTS, PARTS) for flow in hours}, _divisions(hour_us[coarse])))
        return _summed(parts, edges_us)


def _scatter(column: Energy, rows: Rows, part: Part, start_us: int, period_us: int) -> slice | Instants:
    """Add the rows to the column by their starts; return where."""
    first, stop = np.searchsorted(rows.start_us, (start_us, start_us + len(column) * period_us))
    if first == stop:
        return slice(0, 0)
    starts, change = rows.start_us[first:stop], rows.change[first:stop]
    if part is not Part.WHOLE:
        change = np.maximum(change if part is Part.POSITIVE else -change, 0.0)
    low = (int(starts[0]) - start_us) // period_us
    high = (int(starts[-1]) - start_us) // period_us + 1
    # Starts are unique and ascending: without a hole they are a slice.
    slots = slice(low, high) if high - low == len(starts) else (starts - start_us) // period_us
    column[slots] += change
    return slots


def _hours_of(five: slice | Instants) -> slice | Instants:
    """Return the hours of some slots of 5 minutes."""
    if isinstance(five, slice):
        return slice(five.start // PARTS, -(-five.stop // PARTS))
    return five // PARTS


def _divisions(hour_us: Instants) -> Instants:
    """Return the starts of the 5 minutes of hours."""
    return (hour_us[:, None] + np.arange(PARTS, dtype=np.int64) * FIVE_MINUTES_US).ravel()


def _summed(parts: Sequence[Flowed], edges_us: Instants) -> dict[str, Energy]:
    result = {name: np.zeros(len(edges_us) - 1) for name in FLOWS}
    for columns, starts in parts:
        for low in range(0, len(starts), BLOCK):
            block = slice(low, low + BLOCK)
            _add_block({flow: column[block] for flow, column in columns.items()}, starts[block], edges_us, result)
    return result


def _add_block(columns: Mapping[str, Energy], starts: Instants, edges_us: Instants, result: dict[str, Energy]) -> None:
    first = max(0, int(np.searchsorted(edges_us, starts[0], side="right")) - 1)
    stop = min(len(edges_us) - 1, int(np.searchsorted(edges_us, starts[-1], side="right")))
    bins = Bins.of(starts, edges_us[first : stop + 1])
    shares = balance(Measured(**columns))
    for name in FLOWS:
        bins.add(columns[name] if name in columns else getattr(shares, name), result[name][first:stop])

"""Spans of time, merged, and cut at the borders of periods. Pure.

In:   spans as parallel int64 columns of microseconds.
Out:  the same spans as pieces that each lie in one period.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.model.coverage import Span

type Instants = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Consecutive periods: `count` of `period_us` each, from `start_us` on."""

    start_us: int
    count: int
    period_us: int

    @property
    def end_us(self) -> int:
        """Return the end of the last period."""
        return self.start_us + self.count * self.period_us

    def starts(self) -> Instants:
        """Return the start of each period."""
        return self.start_us + self.period_us * np.arange(self.count, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Parts of spans, in the order of the spans: whose part, in which period of the grid, how long."""

    span: NDArray[np.intp]
    period: NDArray[np.int64]
    length_us: Instants


def merge(spans: Sequence[Span]) -> tuple[Instants, Instants]:
    """Return the union of spans as disjoint columns (since, until) in ascending time; touching ones become one."""
    since: list[int] = []
    until: list[int] = []
    for span in sorted(spans):
        if until and span.since_us <= until[-1]:
            until[-1] = max(until[-1], span.until_us)
        elif span.since_us < span.until_us:
            since.append(span.since_us)
            until.append(span.until_us)
    return np.array(since, np.int64), np.array(until, np.int64)


def total(pieces: Pieces, weights: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    """Return the sum of the pieces' weights in each period."""
    return np.asarray(np.bincount(pieces.period, weights, grid.count), np.float64)


def cut(begin_us: Instants, end_us: Instants, grid: Grid) -> Pieces:
    """Cut spans at the borders of the grid's periods; what is empty or lies outside the grid gives no piece."""
    begin = np.maximum(begin_us, grid.start_us) - grid.start_us
    end = np.minimum(end_us, grid.end_us) - grid.start_us
    span = np.flatnonzero(end > begin)
    if len(span) < len(begin):
        begin, end = begin[span], end[span]
    first = begin // grid.period_us
    parts = (end - 1) // grid.period_us - first + 1
    whole = int(parts.sum())
    if whole == len(span):
        return Pieces(span, first, end - begin)
    row = np.repeat(np.arange(len(span)), parts)
    place_in_span = np.arange(whole) - (np.cumsum(parts) - parts)[row]
    period = first[row] + place_in_span
    border = period * grid.period_us
    length = np.minimum(end[row], border + grid.period_us) - np.maximum(begin[row], border)
    return Pieces(span[row], period, length)

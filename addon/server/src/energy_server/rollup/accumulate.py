"""Turn the readings of one Entity into Statistics of 5 minutes, and those into Statistics of an hour. Pure.

In:   readings of one Entity in ascending time, among them the last usable one before and the first one after the span;
      the Coverage (live or exact states) of the whole time between those.
Out:  a row for each period of which Coverage knows a part or whose change is known. The same readings and Coverage
      give the same rows, bit for bit, however a long span is cut into slices.

`change` of a counter is its growth (rules in `counter.py`), of a power gauge its integral in kWh, of other gauges
unknown. `mean`, `minimum`, `maximum` are of gauges, weighted by time (rules in `gauge.py`). `last` is a counter's
reading at the period's end, or the last value of a gauge that was in force. A covered period in which nothing is known
(unavailable) is a row of provenance MISSING.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energy_server.model.coverage import Span
from energy_server.model.entity import Entity, Kind
from energy_server.model.reading import Origin, ReadingSlice
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US, Provenance, StatisticColumns
from energy_server.rollup.counter import Growth, grow
from energy_server.rollup.gauge import hold
from energy_server.rollup.levels import SPREAD_MAX_US
from energy_server.rollup.pieces import Grid, Instants, cut, merge, total

US_PER_S = 1_000_000
WATT_US_PER_KWH = 3.6e12


@dataclass(slots=True)
class _Periods:
    """The columns while they are made: one element for each period of the grid, NaN = unknown."""

    mean: NDArray[np.float64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    change: NDArray[np.float64]
    last: NDArray[np.float64]
    provenance: NDArray[np.uint8]


def is_counter(entity: Entity) -> bool:
    """Say whether its growth counts; a price or a power is a gauge, whatever state class its integration gave it."""
    return entity.counter and entity.kind in SPREAD_MAX_US


def accumulate(
    entity: Entity,
    readings: ReadingSlice,
    covered: Sequence[Span],
    start_us: int,
    end_us: int,
    zone: ZoneInfo,
    spread_max_us: int,
    period_us: int = FIVE_MINUTES_US,
) -> StatisticColumns:
    """Return the Statistics of periods of [start_us, end_us), both multiples of the period."""
    grid = Grid(start_us, (end_us - start_us) // period_us, period_us)
    spans = merge(covered)
    periods = _empty(grid.count)
    if is_counter(entity):
        growth = grow(entity, readings, spans, zone, spread_max_us)
        if growth is not None:
            _count(periods, growth, grid)
    elif len(readings):
        _weigh(periods, entity, readings, spans, grid)
    covering = cut(*spans, grid)
    covered_s = total(covering, covering.length_us / US_PER_S, grid)
    rows = np.flatnonzero((covered_s > 0) | ~np.isnan(periods.change) | ~np.isnan(periods.mean))
    return StatisticColumns(
        keys=[entity.key],
        place=np.zeros(len(rows), np.int32),
        start_us=grid.starts()[rows],
        mean=periods.mean[rows],
        minimum=periods.minimum[rows],
        maximum=periods.maximum[rows],
        change=periods.change[rows],
        last=periods.last[rows],
        covered_s=covered_s[rows],
        provenance=periods.provenance[rows],
    )


def _empty(count: int) -> _Periods:
    mean, minimum, maximum, change, last = np.full((5, count), np.nan)
    return _Periods(mean, minimum, maximum, change, last, np.full(count, Provenance.MISSING, np.uint8))


def _count(periods: _Periods, growth: Growth, grid: Grid) -> None:
    known = np.zeros(grid.count, np.bool)
    known[_touched(int(growth.ts_us[0]), int(growth.ts_us[-1]), grid)] = True
    known[_touched(growth.silent_since_us, growth.silent_until_us, grid)] = True
    periods.provenance[known] = Provenance.MEASURED
    pieces = cut(growth.begin_us, growth.until_us, grid)
    share = pieces.length_us / (growth.until_us - growth.begin_us)[pieces.span]
    amount = total(pieces, growth.amount[pieces.span] * share, grid)
    periods.change[known] = amount[known]
    for provenance in (Provenance.BACKFILLED, Provenance.INTERPOLATED):  # the worse one stays
        pairs = np.flatnonzero(growth.provenance == provenance)
        if len(pairs):
            where = cut(growth.since_us[pairs], growth.until_us[pairs], grid)
            periods.provenance[where.period] = provenance
    heard = np.searchsorted(growth.ts_us, grid.starts() + grid.period_us, side="right") - 1
    periods.last[:] = np.where(heard >= 0, growth.value[np.maximum(heard, 0)], np.nan)


def _touched(since_us: int, until_us: int, grid: Grid) -> slice:
    """Return the periods of which [since_us, until_us) has a part; one that touches a border only has none."""
    if since_us >= until_us:
        return slice(0, 0)
    first = max(0, (since_us - grid.start_us) // grid.period_us)
    stop = min(grid.count, -((grid.start_us - until_us) // grid.period_us))
    return slice(first, max(first, stop))


def _weigh(
    periods: _Periods, entity: Entity, readings: ReadingSlice, covered: tuple[Instants, Instants], grid: Grid
) -> None:
    holds = hold(readings, covered, grid.end_us)
    pieces = cut(holds.begin_us, holds.end_us, grid)
    if len(pieces.span) == 0:
        return
    first = np.flatnonzero(np.diff(pieces.period, prepend=-1))
    where = pieces.period[first]
    value = holds.value[pieces.span]
    weighted = np.add.reduceat(value * pieces.length_us, first)
    minimum = np.minimum.reduceat(value, first)
    maximum = np.maximum.reduceat(value, first)
    periods.minimum[where], periods.maximum[where] = minimum, maximum
    # A mean lies between the extremes; the rounding of a sum may not.
    periods.mean[where] = np.clip(weighted / np.add.reduceat(pieces.length_us, first), minimum, maximum)
    periods.last[where] = value[np.append(first[1:], len(value)) - 1]
    if entity.kind is Kind.POWER:
        periods.change[where] = weighted / WATT_US_PER_KWH
    periods.provenance[where] = Provenance.MEASURED
    imported = holds.origin[pieces.span] != Origin.LIVE
    periods.provenance[pieces.period[imported]] = Provenance.BACKFILLED
    periods.provenance[pieces.period[holds.guessed[pieces.span]]] = Provenance.INTERPOLATED


def hours(five: StatisticColumns, weighed: StatisticColumns | None = None) -> StatisticColumns:
    """Return the Statistics of the hours of which `five` (ordered by place, start) has rows.

    An hour is as good as its worst part of which something is known. `weighed`: the same hours of one gauge,
    accumulated from its readings, whose means are exact; else a mean weighs its parts by their covered time, as if none
    was unavailable for some of it.
    """
    hour = five.start_us // HOUR_US
    if len(five) == 0:
        return five
    first = np.flatnonzero((np.diff(hour, prepend=-1) != 0) | (np.diff(five.place, prepend=-1) != 0))
    covered_s = np.add.reduceat(five.covered_s, first)
    weight = np.where(np.isnan(five.mean), 0.0, five.covered_s)
    whole = np.add.reduceat(weight, first)
    weighted = np.add.reduceat(np.nan_to_num(five.mean) * weight, first)
    minimum = np.fmin.reduceat(five.minimum, first)
    maximum = np.fmax.reduceat(five.maximum, first)
    known = np.where(five.provenance == Provenance.MISSING, 0, five.provenance)
    nothing_known = np.minimum.reduceat(five.provenance, first) == Provenance.MISSING
    start_us = hour[first] * HOUR_US
    mean = np.clip(np.divide(weighted, whole, out=np.full(len(first), np.nan), where=whole > 0), minimum, maximum)
    if weighed is not None:
        mean = weighed.mean[np.searchsorted(weighed.start_us, start_us)]
    return StatisticColumns(
        keys=five.keys,
        place=five.place[first],
        start_us=start_us,
        mean=mean,
        minimum=minimum,
        maximum=maximum,
        change=_sum_of_known(five.change, first),
        last=_last_of_known(five.last, first),
        covered_s=covered_s,
        provenance=np.where(nothing_known, Provenance.MISSING, np.maximum.reduceat(known, first)).astype(np.uint8),
    )


def _sum_of_known(values: NDArray[np.float64], first: NDArray[np.intp]) -> NDArray[np.float64]:
    unknown = np.isnan(values)
    nothing = np.logical_and.reduceat(unknown, first)
    return np.where(nothing, np.nan, np.add.reduceat(np.where(unknown, 0.0, values), first))


def _last_of_known(values: NDArray[np.float64], first: NDArray[np.intp]) -> NDArray[np.float64]:
    place = np.maximum.reduceat(np.where(np.isnan(values), -1, np.arange(len(values))), first)
    return np.where(place >= 0, values[place], np.nan)

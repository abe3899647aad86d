"""Which Statistics of an Entity count where several are known: the rollup or the imported hour. Pure.

In:   rollups of 5 minutes, rollups of hours (their change counts for an Entity that has none of 5 minutes, their
      Coverage for all), imported hours.
Out:  `Chosen`: a `Series` for each Entity, and the stretches of hours that depend on each other.

An imported hour counts where the rollup's Coverage of that hour lacks more than `COVERAGE_TOLERANCE_S`; elsewhere,
and where no hour was imported, the rollup counts. Readings on both sides of a Gap say how much a counter grew in it,
and that amount stands: imported hours give it its shape. Only where the rollup does not know (before the first
reading) they give the amount, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.series import COVERAGE_TOLERANCE_S, NO_ROWS, Instants, Rows, Series
from energy_server.model.statistic import HOUR_US, Provenance, StatisticColumns

US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """What counts of each key.

    `shaped`: stretches [start_us, end_us) of hours whose shape imported hours give. Another amount in one of its hours,
    or in one beside it, may change all of the stretch; nothing else reaches beyond its own hour.
    """

    series: dict[str, Series]
    shaped: list[tuple[int, int]]


def choose(keys: Sequence[str], five: StatisticColumns, hours: StatisticColumns, imported: StatisticColumns) -> Chosen:
    """Choose what counts for each key; columns must be ordered by (place, start_us)."""
    fives, rolled, imports = (_by_key(columns) for columns in (five, hours, imported))
    shaped: list[tuple[int, int]] = []
    series = {key: _choose(fives.get(key), rolled.get(key), imports.get(key), shaped) for key in keys}
    return Chosen(series, shaped)


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


def _choose(
    five: _Found | None, hours: _Found | None, imported: _Found | None, shaped: list[tuple[int, int]]
) -> Series:
    rolled = five or hours
    imports = imported.known() if imported else NO_ROWS
    imports = Rows(imports.start_us, imports.change, np.full(len(imports), Provenance.STATISTICS, np.uint8))
    if rolled is None:
        return Series(NO_ROWS, imports)
    kept = rolled.known()
    if len(imports):
        kept, imports = _preferred(kept, hours, imports, shaped)
    return Series(kept, imports) if five else Series(NO_ROWS, _merged(kept, imports))


def _preferred(kept: Rows, hours: _Found | None, imports: Rows, shaped: list[tuple[int, int]]) -> tuple[Rows, Rows]:
    """Return the rollup's rows and the imported hours that count."""
    covered_s, interpolated = _in_hours(hours, imports.start_us)
    better = np.flatnonzero(covered_s < HOUR_US // US_PER_S - COVERAGE_TOLERANCE_S)
    if len(better) == 0:
        return kept, NO_ROWS
    imports = imports.only(better)
    first, stop = np.searchsorted(kept.start_us, [imports.start_us, imports.start_us + HOUR_US])
    if first[0] == stop[-1]:  # the rollup knows nothing of all this time: the usual case, before the installation
        return kept, imports
    amount = _sums(kept.change, first, stop)
    imports, usable = _shaped(imports, amount, interpolated[better] & (first < stop), shaped)
    replaced = np.zeros(len(kept) + 1, np.int8)
    np.add.at(replaced, first[usable], 1)
    np.add.at(replaced, stop[usable], -1)
    return kept.only(np.cumsum(replaced[:-1], dtype=np.int8) == 0), imports.only(usable)


def _in_hours(hours: _Found | None, start_us: Instants) -> tuple[NDArray[np.float64], NDArray[np.bool]]:
    """Return how much Coverage knows of each hour, and whether its change bridges a Gap; of no row: nothing."""
    if hours is None:
        return np.zeros(len(start_us)), np.zeros(len(start_us), np.bool)
    at = np.minimum(np.searchsorted(hours.rows.start_us, start_us), len(hours.rows) - 1)
    there = hours.rows.start_us[at] == start_us
    bridges = (hours.rows.provenance[at] == Provenance.INTERPOLATED) & ~np.isnan(hours.rows.change[at])
    return np.where(there, hours.covered_s[at], 0.0), there & bridges


def _sums(values: NDArray[np.float64], first: NDArray[np.intp], stop: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the sum of values[first:stop] of each pair; the pairs are ascending and do not overlap."""
    result = np.zeros(len(first))
    some = np.flatnonzero(first < stop)
    if len(some):
        borders = np.stack((first[some], stop[some]), axis=1).ravel()
        result[some] = np.add.reduceat(np.append(values, 0.0), borders)[::2]
    return result


def _shaped(
    imports: Rows, amount: NDArray[np.float64], anchored: NDArray[np.bool], shaped: list[tuple[int, int]]
) -> tuple[Rows, NDArray[np.bool]]:
    """Return the imported hours with the amounts that readings tell, and which of them can have such a shape.

    Consecutive hours that lie between readings keep their whole change. The rollup of an hour shows that it does by
    being interpolated, since what lies before the first reading of all is not.
    """
    hour = imports.start_us // HOUR_US
    first = np.flatnonzero((np.diff(hour, prepend=-2) != 1) | np.diff(anchored, prepend=~anchored[0]))
    count = np.diff(np.append(first, len(hour)))
    between = anchored[first]
    wanted = np.add.reduceat(amount, first)
    given = np.add.reduceat(imports.change, first)
    fits = (given > 0) & (wanted >= 0)
    factor = np.divide(wanted, given, out=np.ones(len(first)), where=between & fits)
    starts = imports.start_us[first]
    shaped += zip(starts[between].tolist(), (starts + count * HOUR_US)[between].tolist(), strict=True)
    change = imports.change * np.repeat(factor, count)
    return Rows(imports.start_us, change, imports.provenance), np.repeat(~between | fits, count)


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

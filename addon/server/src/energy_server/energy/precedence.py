"""Which Statistics of an Entity count where several are known: the rollup or the imported hour. Pure.

In:   rollups of 5 minutes, rollups of hours (used for an Entity that has none of 5 minutes), imported hours.
Out:  a `Series` for each Entity.

An imported hour counts where the rollup's Coverage of that hour lacks more than `COVERAGE_TOLERANCE_S`; elsewhere,
and where no hour was imported, the rollup counts. Readings on both sides of a Gap say how much a counter grew in it,
and that amount stands: imported hours give it its shape. Only where the rollup does not know (before the first
reading) they give the amount, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.series import COVERAGE_TOLERANCE_S, NO_ROWS, PARTS, Rows, Series
from energy_server.model.statistic import HOUR_US, Provenance, StatisticColumns

US_PER_S = 1_000_000


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
        kept, imports = _preferred(rolled, imports, fine=five is not None)
    else:
        kept = rolled.known()
    return Series(kept, imports) if five else Series(NO_ROWS, _merged(kept, imports))


@dataclass(frozen=True, slots=True)
class _Slots:
    """The hours from the first imported one to the last, as numbers from 0 on."""

    zero_us: int
    count: int

    def part(self, start_us: NDArray[np.int64]) -> tuple[slice, NDArray[np.int64]]:
        """Return which of the ascending starts lie in these hours, and in which each of them does."""
        low, high = np.searchsorted(start_us, (self.zero_us, self.zero_us + self.count * HOUR_US))
        return slice(low, high), (start_us[low:high] - self.zero_us) // HOUR_US


def _preferred(rolled: _Found, imports: Rows, *, fine: bool) -> tuple[Rows, Rows]:
    """Return the rollup's rows and the imported hours that count."""
    first_us = int(imports.start_us[0])
    slots = _Slots(first_us, (int(imports.start_us[-1]) - first_us) // HOUR_US + 1)
    part, slot = slots.part(rolled.rows.start_us)
    covered_s = np.bincount(slot, rolled.covered_s[part], slots.count)
    _, import_slot = slots.part(imports.start_us)
    better = covered_s[import_slot] < HOUR_US // US_PER_S - COVERAGE_TOLERANCE_S
    kept = rolled.known()
    if not better.any():
        return kept, NO_ROWS
    part, slot = slots.part(kept.start_us)
    imports, import_slot = imports.only(better), import_slot[better]
    shaped, usable = _shaped(imports, import_slot, kept.cut(part), slot, slots.count, fine=fine)
    replaced = np.zeros(slots.count, np.bool)
    replaced[import_slot[usable]] = True
    keep = np.ones(len(kept), np.bool)
    keep[part] = ~replaced[slot]
    return kept.only(keep), shaped.only(usable)


def _shaped(
    imports: Rows, import_slot: NDArray[np.int64], rolled: Rows, slot: NDArray[np.int64], slots: int, *, fine: bool
) -> tuple[Rows, NDArray[np.bool]]:
    """Return the imported hours with the amounts that readings tell, and which of them can have such a shape.

    A run of consecutive hours whose whole change the rollup knows keeps that change. Of 5 minutes that is so if each
    has a row; an hour shows it by being interpolated, since what lies before the first reading of all is not.
    """
    amount = np.bincount(slot, rolled.change, slots)
    if fine:
        whole = np.bincount(slot, minlength=slots) == PARTS
    else:
        whole = np.bincount(slot, rolled.provenance == Provenance.INTERPOLATED, slots) > 0
    first = np.flatnonzero(np.diff(import_slot, prepend=-2) != 1)
    runs = np.diff(np.append(first, len(import_slot)))
    anchored = np.logical_and.reduceat(whole[import_slot], first)
    wanted = np.add.reduceat(amount[import_slot], first)
    given = np.add.reduceat(imports.change, first)
    fits = (given > 0) & (wanted >= 0)
    factor = np.divide(wanted, given, out=np.ones(len(first)), where=anchored & fits)
    change = imports.change * np.repeat(factor, runs)
    return Rows(imports.start_us, change, imports.provenance), np.repeat(~anchored | fits, runs)


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

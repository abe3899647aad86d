"""Which cells add up to the intervals between edges: the longest that no edge divides. Pure.

In:   edges.
Out:  for each length of cells the units that are needed. A unit is what is struck and kept at once: the UTC day for
      cells of a day, the UTC hour for all shorter ones.

A month in Europe is whole days, and the hours of the two days that its edges lie in. In a half-hour zone each of these
two days also has one hour that is cut, of which quarters are needed. So a year by months takes 365 cells of a day and
some hundred shorter ones in any zone, and only a span by local hours needs quarters all along in some.
"""

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.periods import DAY_US
from energy_server.energy.series import Instants
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US

QUARTER_US = 3 * FIVE_MINUTES_US
UNITS_US = {DAY_US: DAY_US, HOUR_US: HOUR_US, QUARTER_US: HOUR_US, FIVE_MINUTES_US: HOUR_US}
"""The unit of each length of cells, longest first."""
HOURS_A_DAY = DAY_US // HOUR_US

type Units = NDArray[np.int64]
"""Ascending numbers of UTC days or hours, counted from 1970."""


def layout(edges_us: Instants) -> dict[int, Units]:
    """Return the units of each length.

    An edge inside of 5 minutes counts as their end: a period belongs to the interval in which it starts.
    """
    edges_us = -(-edges_us // FIVE_MINUTES_US) * FIVE_MINUTES_US
    cut_days, cut_hours, cut_quarters = (
        np.unique(edges_us[edges_us % length_us > 0] // unit_us)
        for length_us, unit_us in ((DAY_US, DAY_US), (HOUR_US, HOUR_US), (QUARTER_US, HOUR_US))
    )
    hours = hours_of(cut_days)
    first, stop = np.searchsorted(hours, (edges_us[0] // HOUR_US, -(-edges_us[-1] // HOUR_US)))
    return {
        DAY_US: _without(touched(int(edges_us[0]), int(edges_us[-1]), DAY_US), cut_days),
        HOUR_US: _without(hours[first:stop], cut_hours),
        QUARTER_US: _without(cut_hours, cut_quarters),
        FIVE_MINUTES_US: cut_quarters,
    }


def touched(start_us: int, end_us: int, unit_us: int) -> Units:
    """Return the units of which a span has a part."""
    return np.arange(start_us // unit_us, max(-(-end_us // unit_us), start_us // unit_us), dtype=np.int64)


def hours_of(days: Units) -> Units:
    """Return the hours of some days."""
    return (days[:, np.newaxis] * HOURS_A_DAY + np.arange(HOURS_A_DAY)).ravel()


def _without(units: Units, others: Units) -> Units:
    return np.setdiff1d(units, others, assume_unique=True)

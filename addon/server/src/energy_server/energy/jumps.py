"""Jumps: hours in which an Entity changed by more than ten times its usual. They are shown, never altered. Pure.

In:   cells of an hour, also those of the `USUAL_DAYS` before the span.
Out:  `Jump` for each such hour of the span.

The rule: of each UTC day the greatest change of an hour is looked at. The usual is the median of those of the 28 days
before, leaving out days without any change, so that what runs once a week has a usual, too, and a jump of its own day
does not hide it; fewer than `LEAST_DAYS` such days are too few to judge by. A meter that was exchanged and begins at
its own reading, a counter that went to 0 and back, a decimal point in the wrong place: all are far beyond ten times;
a hot summer, a new heat pump and a car that charges at night are not, or only on their first days.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from energy_server.energy.cells import Cells
from energy_server.energy.periods import DAY_US
from energy_server.energy.series import Instants

TIMES = 10.0
USUAL_DAYS = 28
LEAST_DAYS = 4
MOST_JUMPS = 100

type Energy = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Jump:
    """One hour: how much the Entity of this key changed, and the greatest change of an hour on a usual day."""

    key: str
    start_us: int
    change: float
    usual: float


def jumps(keys: list[str], cells: Cells, start_us: int, end_us: int) -> list[Jump]:
    """Return the newest `MOST_JUMPS` jumps of the span, newest first; the keys are the rows of the cells."""
    if len(cells) == 0 or len(keys) == 0:
        return []
    days, first = np.unique(cells.start_us // DAY_US, return_index=True)
    amount = np.abs(cells.change)
    greatest = np.maximum.reduceat(amount, first, axis=1)
    found = []
    # A jump exceeds ten times the least of the days it is compared with: that alone leaves few to look at.
    seen = (days >= start_us // DAY_US) & (greatest > TIMES * _least(greatest))
    for row, day in np.argwhere(seen).tolist():
        usual = _usual(days, greatest[row], day)
        if usual is None or greatest[row, day] <= TIMES * usual:
            continue
        stop = first[day + 1] if day + 1 < len(first) else len(cells)
        places = first[day] + np.flatnonzero(amount[row, first[day] : stop] > TIMES * usual)
        found += [
            Jump(keys[row], int(cells.start_us[at]), float(cells.change[row, at]), usual) for at in places.tolist()
        ]
    inside = [jump for jump in found if start_us <= jump.start_us < end_us]
    return sorted(inside, key=lambda jump: (-jump.start_us, jump.key))[:MOST_JUMPS]


def _least(greatest: Energy) -> Energy:
    """Return the least change of any of the days before; days without any are left out, here as there."""
    positive = np.where(greatest > 0, greatest, np.inf)
    before = np.concatenate((np.full((len(greatest), USUAL_DAYS), np.inf), positive[:, :-1]), axis=1)
    return np.asarray(sliding_window_view(before, USUAL_DAYS, axis=1).min(axis=2), np.float64)


def _usual(days: Instants, greatest: Energy, day: int) -> float | None:
    """Return the median of the days before, None if they are too few."""
    first = int(np.searchsorted(days, days[day] - USUAL_DAYS))
    before = greatest[first:day]
    before = before[before > 0]
    return float(np.median(before)) if len(before) >= LEAST_DAYS else None

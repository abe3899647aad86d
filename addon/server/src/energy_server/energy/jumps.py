"""Jumps: hours in which an Entity changed by more than ten times its usual, and by more than a home can. Pure.

In:   cells of an hour, also those of the `USUAL_DAYS` before the span.
Out:  `Jump` for each such hour of the span. They are shown, never altered.

The rule: of each UTC day the greatest change of an hour is looked at. The usual is the median of those of the 28 days
before, leaving out days without any change, so that what runs once a week has a usual, too, and a jump of its own day
does not hide it; fewer than `LEAST_DAYS` such days are too few to judge by. A meter that was exchanged and begins at
its own reading, a counter that went to 0 and back, a decimal point in the wrong place: all are far beyond ten times;
a hot summer, a new heat pump and a car that charges at night are not, or only on their first days.

Ten times the usual alone would flag the first wash after quiet weeks, or a car that is charged again: what draws little
on most days is far beyond ten times it when it runs. So an hour that a household's connection can carry is never a
jump, however quiet the days before were: 3 phases of 25 A at 230 V carry 17 kWh in an hour, of 40 A 28 kWh; a gas meter
of a house (G6) passes 10 m³, some 110 kWh; its water meter (Q3 4, overloaded) 5 m³. A home with more than that still
has the ten times. The price: a jump smaller than that is not flagged.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from energy_server.energy.cells import Cells
from energy_server.energy.periods import DAY_US
from energy_server.energy.series import Instants
from energy_server.model.entity import Entity, Kind

TIMES = 10.0
USUAL_DAYS = 28
LEAST_DAYS = 4
MOST_JUMPS = 100
BELIEVABLE = {
    (Kind.ENERGY, "kWh"): 30.0,
    (Kind.POWER, "W"): 30.0,  # its change is its integral, in kWh
    (Kind.GAS, "m³"): 10.0,
    (Kind.GAS, "kWh"): 110.0,
    (Kind.WATER, "m³"): 5.0,
}
"""What a home may take or give in an hour, whatever its usual; other Entities have no such bound."""

type Energy = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Jump:
    """One hour: how much the Entity of this key changed, and the greatest change of an hour on a usual day."""

    key: str
    start_us: int
    change: float
    usual: float


def jumps(entities: Sequence[Entity], cells: Cells, start_us: int, end_us: int) -> list[Jump]:
    """Return the newest `MOST_JUMPS` jumps of the span, newest first; the Entities are the rows of the cells."""
    if len(cells) == 0 or len(entities) == 0:
        return []
    days, first = np.unique(cells.start_us // DAY_US, return_index=True)
    amount = np.abs(cells.change)
    greatest = np.maximum.reduceat(amount, first, axis=1)
    believable = np.array([BELIEVABLE.get((entity.kind, entity.unit), 0.0) for entity in entities])
    found = []
    # A jump exceeds ten times the least of the days it is compared with: that alone leaves few to look at.
    seen = (days >= start_us // DAY_US) & (greatest > np.maximum(TIMES * _least(greatest), believable[:, np.newaxis]))
    for row, day in np.argwhere(seen).tolist():
        usual = _usual(days, greatest[row], day)
        if usual is None:
            continue
        most = max(TIMES * usual, believable[row])
        stop = first[day + 1] if day + 1 < len(first) else len(cells)
        places = first[day] + np.flatnonzero(amount[row, first[day] : stop] > most)
        found += [
            Jump(entities[row].key, int(cells.start_us[at]), float(cells.change[row, at]), usual)
            for at in places.tolist()
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

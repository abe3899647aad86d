"""Jumps: hours in which an Entity changed by more than ten times its usual, and by more than a home can. Pure.

In:   the greatest change of an hour of each day, also of the `USUAL_DAYS` before the span; cells of the hours of those
      days that have a jump.
Out:  `Suspect` for each such day, `Jump` for each such hour of the span. They are shown, never altered.

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
from numpy.typing import NDArray

from energy_server.energy.cells import Cells, Days
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


@dataclass(frozen=True, slots=True)
class Suspect:
    """A day, as its number, on which the key of this row changed by more than the most that is believed of an hour."""

    row: int
    day: int
    usual: float
    most: float


def suspects(entities: Sequence[Entity], days: Days, start_us: int) -> list[Suspect]:
    """Return the days that have a jump, since the one in which the span starts; the Entities are the rows.

    They are the newest: each day but the first and the last is wholly in the span, and has a jump of it.
    """
    if len(days.day) == 0 or len(entities) == 0:
        return []
    believable = np.array([BELIEVABLE.get((entity.kind, entity.unit), 0.0) for entity in entities])
    # A jump exceeds ten times the least of the days it is compared with: that alone leaves few to look at.
    least = np.maximum(TIMES * _least(days.greatest), believable[:, np.newaxis])
    seen = (days.day >= start_us // DAY_US) & (days.greatest > least)
    found = []
    for row, at in np.argwhere(seen).tolist():
        usual = _usual(days.day, days.greatest[row], at)
        if usual is not None and days.greatest[row, at] > (most := max(TIMES * usual, float(believable[row]))):
            found.append(Suspect(row, int(days.day[at]), usual, most))
    newest = set(sorted({one.day for one in found})[-MOST_JUMPS - 2 :])
    return [one for one in found if one.day in newest]


def jumps(
    entities: Sequence[Entity], suspected: Sequence[Suspect], hours: Cells, start_us: int, end_us: int
) -> list[Jump]:
    """Return the newest `MOST_JUMPS` jumps of the span, newest first; `hours` are those of the suspected days."""
    found = []
    for one in suspected:
        first, stop = np.searchsorted(hours.start_us, (one.day * DAY_US, (one.day + 1) * DAY_US))
        places = first + np.flatnonzero(np.abs(hours.change[one.row, first:stop]) > one.most)
        found += [
            Jump(entities[one.row].key, int(hours.start_us[at]), float(hours.change[one.row, at]), one.usual)
            for at in places.tolist()
        ]
    inside = [jump for jump in found if start_us <= jump.start_us < end_us]
    return sorted(inside, key=lambda jump: (-jump.start_us, jump.key))[:MOST_JUMPS]


def _least(greatest: Energy) -> Energy:
    """Return the least change of any of the days before; days without any are left out, here as there."""
    positive = np.where(greatest > 0, greatest, np.inf)
    least = np.concatenate((np.full((len(greatest), USUAL_DAYS), np.inf), positive[:, :-1]), axis=1)
    width = 1  # of the window that ends at each place; it doubles as long as it can
    while width < USUAL_DAYS:
        step = min(width, USUAL_DAYS - width)
        least[:, step:] = np.minimum(least[:, step:], least[:, :-step])
        width += step
    return np.asarray(least[:, USUAL_DAYS - 1 :], np.float64)


def _usual(days: Instants, greatest: Energy, day: int) -> float | None:
    """Return the median of the days before, None if they are too few."""
    first = int(np.searchsorted(days, days[day] - USUAL_DAYS))
    before = greatest[first:day]
    before = before[before > 0]
    return float(np.median(before)) if len(before) >= LEAST_DAYS else None

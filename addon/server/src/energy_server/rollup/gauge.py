"""How long each value of a gauge was in force. Pure.

In:   the readings of one gauge, the Coverage of their time.
Out:  `Holds`: stretches of time, each with its value.

A value holds until the next reading, unavailability, or the end of Coverage, whichever is first. A value that was
read before Coverage begins is in force from its beginning on (whenever listening begins, the state in force is sent),
but not if Coverage ended in between. Only covered time counts, with one exception: between two readings at most
`HOLD_MAX_US` apart the first one holds even where Coverage is missing, and is `guessed` there. So the small holes
that a crash or a step of the clock leaves in Coverage cost no energy, while nothing is made up for a real Gap.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.model.reading import ReadingSlice
from energy_server.rollup.pieces import Instants

HOLD_MAX_US = 300_000_000
"""As long as the shortest period: what a gauge cannot have done unseen without every Level showing it."""


@dataclass(frozen=True, slots=True)
class Holds:
    """Value i was in force in [begin_us, end_us), partly without Coverage if guessed; disjoint, ascending."""

    begin_us: Instants
    end_us: Instants
    value: NDArray[np.float64]
    origin: NDArray[np.uint8]
    guessed: NDArray[np.bool]


def hold(readings: ReadingSlice, covered: tuple[Instants, Instants], end_us: int) -> Holds:
    """Return what was in force when, up to `end_us`."""
    covered_since, covered_until = covered
    following = np.append(readings.ts_us[1:], np.int64(end_us))
    begin, end = _covered_part(readings.ts_us, following, covered_since, covered_until)
    close = following - readings.ts_us <= HOLD_MAX_US
    close[-1:] = False  # what follows the last one is no reading
    guessed = close & ((begin > readings.ts_us) | (end < following))
    begin = np.where(guessed, readings.ts_us, begin)
    end = np.where(guessed, following, end)
    keep = np.flatnonzero((end > begin) & ~np.isnan(readings.value))
    return Holds(begin[keep], end[keep], readings.value[keep], readings.origin[keep], guessed[keep])


def _covered_part(
    since_us: Instants, until_us: Instants, covered_since: Instants, covered_until: Instants
) -> tuple[Instants, Instants]:
    """Return the part of each [since, until) in the first Coverage that ends after its beginning, or nothing."""
    if len(covered_since) == 0:
        return until_us, until_us
    span = np.searchsorted(covered_until, since_us, side="right")
    inside = np.minimum(span, len(covered_since) - 1)
    begin = np.where(span < len(covered_since), np.maximum(since_us, covered_since[inside]), until_us)
    return begin, np.maximum(begin, np.minimum(until_us, covered_until[inside]))

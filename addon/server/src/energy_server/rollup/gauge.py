"""How long each value of a gauge was in force. Pure.

In:   the readings of one gauge, the Coverage of their time.
Out:  `Holds`: stretches of time, each with its value.

A value holds until the next reading, unavailability, or the end of Coverage, whichever is first. A value that was read
before Coverage begins is in force from its beginning on (whenever listening begins, the state in force is sent), but
not if Coverage ended in between. Only covered time counts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.model.reading import ReadingSlice
from energy_server.rollup.pieces import Instants


@dataclass(frozen=True, slots=True)
class Holds:
    """Value i was in force during [begin_us, end_us); disjoint, ascending, none empty."""

    begin_us: Instants
    end_us: Instants
    value: NDArray[np.float64]
    origin: NDArray[np.uint8]


def hold(readings: ReadingSlice, covered: tuple[Instants, Instants], end_us: int) -> Holds:
    """Return what was in force when, up to `end_us`."""
    covered_since, covered_until = covered
    following = np.append(readings.ts_us[1:], np.int64(end_us))
    if len(covered_since) == 0:
        nothing = np.empty(0, np.int64)
        return Holds(nothing, nothing, np.empty(0), np.empty(0, np.uint8))
    span = np.searchsorted(covered_until, readings.ts_us, side="right")
    inside = np.minimum(span, len(covered_since) - 1)
    begin = np.maximum(readings.ts_us, covered_since[inside])
    end = np.minimum(following, covered_until[inside])
    keep = np.flatnonzero((span < len(covered_since)) & (end > begin) & ~np.isnan(readings.value))
    return Holds(begin[keep], end[keep], readings.value[keep], readings.origin[keep])

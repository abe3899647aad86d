"""How much of each local day is known: the table of /api/completeness. Pure.

In:   the Coverage of each Entity as disjoint spans with their source; the edges of local days; now.
Out:  a row for each day: seconds, as the mean over the Entities that took part in it.

An Entity takes part from its `since_us`, or from the beginning of its Coverage if that is earlier, until it left the
catalog. What lies in the future is neither known nor missing. Spans without data (Home Assistant off, nothing
recorded) are missing; how long Home Assistant was off is told, since then there is nothing that could be lacking.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.model.coverage import CoverageSource, Span

US_PER_S = 1_000_000

_SOURCES = (CoverageSource.LIVE, CoverageSource.STATES, CoverageSource.HOUR)
_TOLD = (*_SOURCES, CoverageSource.HA_OFF)


@dataclass(frozen=True, slots=True)
class EntityCoverage:
    """The Coverage of one Entity: disjoint, ascending spans; the time in which it was in the catalog."""

    spans: Sequence[tuple[Span, CoverageSource]]
    since_us: int
    until_us: int | None


@dataclass(frozen=True, slots=True)
class DayCompleteness:
    """One local day; the four ways add up to its length, or to the part of it that has passed.

    `ha_off_s` is that part of `missing_s` in which Home Assistant was off.
    """

    start_us: int
    length_s: float
    live_s: float
    backfilled_s: float
    statistics_s: float
    missing_s: float
    ha_off_s: float


def completeness(entities: Sequence[EntityCoverage], edges_us: NDArray[np.int64], now_us: int) -> list[DayCompleteness]:
    """Return a row for each day between edges; what has passed of a day without Entities is missing."""
    passed = np.minimum(edges_us, now_us)
    elapsed = np.diff(passed) / US_PER_S
    told = np.zeros((len(_TOLD), len(elapsed)))
    present = np.zeros(len(elapsed))
    for entity in entities:
        first_us = min([entity.since_us, *(span.since_us for span, source in entity.spans if source in _SOURCES)])
        until_us = now_us if entity.until_us is None else min(entity.until_us, now_us)
        window = Span(first_us, max(first_us, until_us))  # who left before anything was claimed was not there
        present += _seconds([window], passed)
        for row, wanted in enumerate(_TOLD):
            told[row] += _seconds([span for span, source in entity.spans if source is wanted], passed)
    told *= np.divide(elapsed, present, out=np.zeros(len(elapsed)), where=present > 0)
    live, states, hours, ha_off = told
    missing = np.maximum(elapsed - (live + states + hours), 0.0)
    return [
        DayCompleteness(
            start_us=int(edges_us[day]),
            length_s=float(edges_us[day + 1] - edges_us[day]) / US_PER_S,
            live_s=float(live[day]),
            backfilled_s=float(states[day]),
            statistics_s=float(hours[day]),
            missing_s=float(missing[day]),
            ha_off_s=float(min(ha_off[day], missing[day])),
        )
        for day in range(len(elapsed))
    ]


def _seconds(spans: Sequence[Span], edges_us: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how many seconds of disjoint spans lie between consecutive edges."""
    if not spans:
        return np.zeros(len(edges_us) - 1)
    since = np.array([span.since_us for span in spans], np.int64)
    until = np.array([span.until_us for span in spans], np.int64)
    lengths = np.concatenate(([0], np.cumsum(until - since)))
    place = np.searchsorted(since, edges_us, side="right")
    at = np.maximum(place - 1, 0)
    inside = np.where(place > 0, np.clip(edges_us - since[at], 0, until[at] - since[at]), 0)
    before = np.diff(lengths[at] + inside)
    return before / US_PER_S

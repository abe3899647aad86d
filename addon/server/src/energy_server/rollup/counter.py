"""How a counter grows between its readings: the rules of resets, silence, Gaps and unavailability. Pure.

In:   the readings of one counter, the Coverage of their time.
Out:  `Growth`: how much it grew, in which stretch of time, and how that is known.

An increase belongs to (last heard, next reading]. Of a counter that was covered all the time but stood still for
longer than `spread_max`, it belongs to the last `spread_max`; across a Gap or unavailability nobody knows, so it is
spread over the whole span and marked.

Resets follow Home Assistant (`reset_detected` and `compile_statistics` of its `components/sensor/recorder.py`): a
`total_increasing` below 90 % of its last value was reset, a smaller dip is negative energy, negative values are
skipped, and unavailability does not make the last value forgotten; a `total` is reset by its `last_reset` alone:
whenever it is another one than that of the reading before, also where that had none, and never by its disappearing.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.periods import Resolution, edges, to_datetime
from energy_server.model.entity import Entity, StateClass
from energy_server.model.reading import NO_RESET, Origin, ReadingSlice
from energy_server.model.statistic import Provenance
from energy_server.rollup.pieces import Instants

RESET_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Growth:
    """What a counter's readings say. Column i is about the pair of usable readings i and i + 1.

    `amount` was added in (begin_us, until_us]; from since_us (reading i) to begin_us it stood still. `ts_us`, `value`
    are the usable readings. After the last one it is known to stand during [silent_since_us, silent_until_us).
    """

    ts_us: Instants
    value: NDArray[np.float64]
    begin_us: Instants
    amount: NDArray[np.float64]
    provenance: NDArray[np.uint8]
    silent_since_us: int
    silent_until_us: int

    @property
    def since_us(self) -> Instants:
        """Return the instant of the earlier reading of each pair."""
        return self.ts_us[:-1]

    @property
    def until_us(self) -> Instants:
        """Return the instant of the later reading of each pair."""
        return self.ts_us[1:]


def usable(entity: Entity, readings: ReadingSlice) -> NDArray[np.bool]:
    """Say which readings count: not null, and of a `total_increasing` not negative."""
    if entity.state_class is StateClass.TOTAL_INCREASING:
        return readings.value >= 0  # NaN is not
    return ~np.isnan(readings.value)


def grow(
    entity: Entity,
    readings: ReadingSlice,
    covered: tuple[Instants, Instants],
    zone: ZoneInfo,
    spread_max_us: int,
) -> Growth | None:
    """Apply the rules to consecutive usable readings; None where there is none."""
    counts = np.flatnonzero(usable(entity, readings))
    if len(counts) == 0:
        return None
    ts, value, reset, origin = (
        readings.ts_us[counts],
        readings.value[counts],
        readings.reset_us[counts],
        readings.origin[counts],
    )
    nulls = np.cumsum(np.isnan(readings.value))[counts]
    unavailable = nulls[1:] > nulls[:-1]
    heard = heard_throughout(ts[:-1], ts[1:], covered)
    was_reset = _resets(entity, value, reset)
    amount = np.where(was_reset, value[1:], np.diff(value))
    begin = _reset_instants(ts, reset, was_reset, zone) if was_reset.any() else ts[:-1]
    begin = np.where(heard & ~unavailable, np.maximum(begin, ts[1:] - spread_max_us), begin)
    guessed = ~heard | unavailable
    if entity.state_class is StateClass.TOTAL_INCREASING:
        # It came back as it went: it cannot have grown, whatever hid it, as long as Home Assistant was listened to.
        guessed &= ~heard | (amount != 0)
    by_origin = np.where(origin[1:] == Origin.LIVE, Provenance.MEASURED, Provenance.BACKFILLED)
    provenance = np.where(guessed, Provenance.INTERPOLATED, by_origin).astype(np.uint8)
    return Growth(ts, value, begin, amount, provenance, *_silent(readings, int(counts[-1]), covered))


def heard_throughout(since_us: Instants, until_us: Instants, covered: tuple[Instants, Instants]) -> NDArray[np.bool]:
    """Say for each (since, until] whether Coverage reaches its end without an end of Coverage inside.

    Coverage may begin inside: whenever listening begins, the state in force is sent at its own earlier instant, so from
    that instant on it is known to have stood.
    """
    covered_since, covered_until = covered
    if len(covered_since) == 0:
        return np.zeros(len(since_us), np.bool)
    span = np.searchsorted(covered_since, until_us, side="left") - 1
    reaches = (span >= 0) & (covered_until[span] >= until_us)
    if len(covered_since) == 1:
        return reaches
    before = covered_until[np.maximum(span - 1, 0)]
    return np.asarray(reaches & ((span == 0) | (before <= since_us)), np.bool)


def _resets(entity: Entity, value: NDArray[np.float64], reset: Instants) -> NDArray[np.bool]:
    if entity.state_class is StateClass.TOTAL_INCREASING:
        return np.asarray(value[1:] < RESET_SHARE * value[:-1], np.bool)
    return np.asarray((reset[1:] != NO_RESET) & (reset[1:] != reset[:-1]), np.bool)


def _reset_instants(ts: Instants, reset: Instants, was_reset: NDArray[np.bool], zone: ZoneInfo) -> Instants:
    """Return from when each amount counts: `last_reset`, else the last local midnight inside, else the last reading."""
    since, until = ts[:-1], ts[1:]
    pairs = np.flatnonzero(was_reset)
    low, high = since[pairs], until[pairs]
    named = reset[1:][pairs]
    days = _midnights(int(low[0]), int(high[-1]), zone)
    place = np.searchsorted(days, high, side="left") - 1
    midnight = np.where(place >= 0, days[np.maximum(place, 0)], low) if len(days) else low
    instant = np.where((named != NO_RESET) & (named < high), named, midnight)
    begin = since.copy()
    begin[pairs] = np.maximum(instant, low)
    return begin


def _midnights(since_us: int, until_us: int, zone: ZoneInfo) -> Instants:
    def day(ts_us: int) -> datetime:
        return to_datetime(ts_us, zone)

    if day(since_us).date() == day(until_us).date():
        return np.empty(0, np.int64)
    return edges(since_us, until_us, Resolution.DAY, zone)[1:-1]


def _silent(readings: ReadingSlice, last: int, covered: tuple[Instants, Instants]) -> tuple[int, int]:
    """Return since and until when the last usable reading is known to stand: covered, and without a null."""
    ts = int(readings.ts_us[last])
    later_nulls = np.flatnonzero(np.isnan(readings.value[last:]))
    covered_since, covered_until = covered
    place = int(np.searchsorted(covered_until, ts, side="right"))
    if place == len(covered_until):
        return ts, ts
    until = int(covered_until[place])
    if len(later_nulls):
        until = min(until, int(readings.ts_us[last + later_nulls[0]]))
    return max(ts, int(covered_since[place])), until

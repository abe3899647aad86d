"""Local periods as instants: where the days, weeks, months and years of an IANA zone begin. Pure.

In:   a span in microseconds, a resolution, a zone.
Out:  edges in microseconds, ascending: a day has 23 or 25 hours where the clocks change, an hour of a half-hour zone
      begins at half past in UTC. Every edge since 1972 is a multiple of 15 minutes, so that Statistics of 5 minutes add
      up to any period.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US

DAY_US = 24 * HOUR_US
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Resolution(StrEnum):
    """The lengths of periods that energy can be asked for."""

    FIVE_MINUTES = "5min"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    TOTAL = "total"


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


_DATES: dict[Resolution, tuple[Callable[[date], date], Callable[[date], date]]] = {
    # resolution: (first day of the period that has this day, first day of the next period)
    Resolution.DAY: (lambda day: day, lambda day: day + timedelta(days=1)),
    Resolution.WEEK: (lambda day: day - timedelta(days=day.weekday()), lambda day: day + timedelta(days=7)),
    Resolution.MONTH: (lambda day: day.replace(day=1), _next_month),
    Resolution.YEAR: (lambda day: day.replace(month=1, day=1), lambda day: day.replace(year=day.year + 1)),
}


def to_us(moment: datetime) -> int:
    """Return an aware datetime as exact microseconds."""
    return (moment.astimezone(UTC) - EPOCH) // MICROSECOND


def to_datetime(ts_us: int, zone: ZoneInfo) -> datetime:
    """Return an instant in a zone."""
    return (EPOCH + timedelta(microseconds=ts_us)).astimezone(zone)


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of that name, UTC where it is unknown here: Home Assistant may have newer zones than we have."""
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError, ValueError, OSError:
        return ZoneInfo("UTC")


def day_start(day: date, zone: ZoneInfo) -> int:
    """Return the first instant of a local day, also where its midnight is skipped or comes twice."""
    return to_us(datetime(day.year, day.month, day.day, tzinfo=zone))


def edges(start_us: int, end_us: int, resolution: Resolution, zone: ZoneInfo) -> NDArray[np.int64]:
    """Return `start_us`, every local border strictly inside, and `end_us`."""
    if resolution is Resolution.TOTAL:
        inside = np.empty(0, np.int64)
    elif resolution is Resolution.FIVE_MINUTES:
        inside = np.arange(start_us // FIVE_MINUTES_US + 1, -(-end_us // FIVE_MINUTES_US), dtype=np.int64)
        inside *= FIVE_MINUTES_US
    elif resolution is Resolution.HOUR:
        inside = _hours(start_us, end_us, zone)
    else:
        inside = _dates(start_us, end_us, resolution, zone)
    inside = inside - inside % FIVE_MINUTES_US  # until 2011 clocks in St. John's jumped at one minute past midnight
    inside = inside[(inside > start_us) & (inside < end_us)]
    return np.concatenate(([start_us], np.unique(inside), [end_us])).astype(np.int64)


def period_of(ts_us: int, resolution: Resolution, zone: ZoneInfo) -> tuple[int, int]:
    """Return the start and the end of the local day, week, month or year that has the instant."""
    first, following = _DATES[resolution]
    day = first(to_datetime(ts_us, zone).date())
    return day_start(day, zone), day_start(following(day), zone)


def _dates(start_us: int, end_us: int, resolution: Resolution, zone: ZoneInfo) -> NDArray[np.int64]:
    first, following = _DATES[resolution]
    day = first(to_datetime(start_us, zone).date())
    borders = []
    border = day_start(day, zone)
    while border < end_us:
        borders.append(border)
        day = following(day)
        border = day_start(day, zone)
    return np.array(borders, np.int64)


def _hours(start_us: int, end_us: int, zone: ZoneInfo) -> NDArray[np.int64]:
    """Return the full hours of the wall clock, and the instants at which it jumps."""
    borders = []
    for since_us, until_us, offset_us in _offsets(start_us, end_us, zone):
        first = -(-(since_us + offset_us) // HOUR_US)
        stop = -(-(until_us + offset_us) // HOUR_US)
        borders.append(np.array([since_us], np.int64))
        borders.append(np.arange(first, stop, dtype=np.int64) * HOUR_US - offset_us)
    return np.concatenate(borders)


def _offsets(start_us: int, end_us: int, zone: ZoneInfo) -> list[tuple[int, int, int]]:
    """Return stretches (since, until, offset from UTC) of the span, each with one offset."""
    stretches = []
    since_us = start_us
    offset_us = _offset(start_us, zone)
    at_us = start_us
    while at_us < end_us:
        next_us = min(at_us + DAY_US, end_us)
        if (changed_us := _offset(next_us, zone)) != offset_us:
            low, high = at_us, next_us
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(middle, zone) == offset_us else (low, middle)
            stretches.append((since_us, high, offset_us))
            since_us, offset_us = high, changed_us
        at_us = next_us
    stretches.append((since_us, end_us, offset_us))
    return stretches


def _offset(ts_us: int, zone: ZoneInfo) -> int:
    offset = to_datetime(ts_us, zone).utcoffset()
    return 0 if offset is None else offset // MICROSECOND

"""The readings of one Signal: a function of the seed alone, so that any month can be made again by itself.

In:   a Signal and a month.
Out:  instants (jittered by a tenth of the interval, 3 % missing) and values, as numpy columns in ascending time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.bench.reference_year.entities import Shape, Signal

SEED = 20261121
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
JITTER = 0.1
MISSING = 0.03
DAYS = 6 * 366
HOURS = DAYS * 24

type Instants = NDArray[np.int64]
type Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Course:
    """What is drawn once for a Signal: the sum of a counter at each day's start, or a gauge's level in each hour."""

    signal: Signal
    origin_us: int
    levels: Values


def course(signal: Signal, origin_us: int) -> Course:
    """Draw the course of a Signal from `origin_us`, a UTC midnight, on."""
    rng = np.random.default_rng((SEED, signal.place))
    if signal.entity.counter:
        growth = signal.level * (0.5 + rng.random(DAYS))
        if signal.shape is Shape.SUN:
            growth *= 1.0 - 0.8 * np.cos(np.arange(DAYS) * (2 * np.pi / 365.25))
        return Course(signal, origin_us, np.concatenate(([0.0], np.cumsum(growth))))
    step = rng.normal(0.0, 0.3, HOURS) if signal.shape is Shape.STEPS else rng.normal(0.0, 0.05, HOURS)
    return Course(signal, origin_us, signal.level * (1.0 + step))


def instants(signal: Signal, start_us: int, end_us: int) -> Instants:
    """Return the instants of the readings in the span, whose start is a full interval."""
    rng = np.random.default_rng((SEED, signal.place, start_us // HOUR_US))
    interval_us = signal.interval_s * 1_000_000
    nominal = np.arange(start_us, end_us, interval_us, dtype=np.int64) + interval_us // 2
    jitter = rng.uniform(-JITTER, JITTER, len(nominal)) * interval_us
    return (nominal + jitter.astype(np.int64))[rng.random(len(nominal)) >= MISSING]


def values(course_: Course, ts_us: Instants) -> Values:
    """Return the values at these instants, as a meter with that many decimals shows them."""
    signal = course_.signal
    if signal.entity.counter:
        shown: Values = np.floor(total(course_, ts_us) * 10**signal.decimals) / 10**signal.decimals
        return shown
    rng = np.random.default_rng((SEED, signal.place, int(ts_us[0]) // HOUR_US, 1))
    since_us = ts_us - course_.origin_us
    hour = since_us // HOUR_US
    swing = 1.0 + 0.2 * np.sin(since_us * (2 * np.pi / DAY_US))
    noise = rng.normal(0.0, 0.02 if signal.shape is Shape.STEPS else 0.004, len(ts_us)) * signal.level
    measured: Values = np.round(np.abs(course_.levels[hour] * swing + noise), signal.decimals)
    return measured


def total(course_: Course, ts_us: Instants) -> Values:
    """Return the exact sum of a counter at these instants: it never falls."""
    since_us = ts_us - course_.origin_us
    day = since_us // DAY_US
    share = (since_us - day * DAY_US) / DAY_US
    if course_.signal.shape is Shape.SUN:
        risen = np.clip((share - 0.25) / 0.5, 0.0, 1.0)
        share = risen * risen * (3.0 - 2.0 * risen)
    else:
        share = share - 0.1 * np.sin(share * (2 * np.pi))
    before = course_.levels[day]
    return before + (course_.levels[day + 1] - before) * share

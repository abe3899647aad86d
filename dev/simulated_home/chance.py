"""Numbers that look random and are a function of their place: the same seed and place give the same number, everywhere.

In:   a seed, a stream (one per phenomenon) and places (any integers, as an array).
Out:  floats in [0, 1). Nothing fails.

A hash of the place (the finalizer of SplitMix64, Steele et al. 2014) instead of a generator with a state: any instant
can be asked for by itself, and whole months at once.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


class Stream(IntEnum):
    """One per phenomenon, so that two of them never share their numbers. Numbers are never reused."""

    COVER = 1
    CLOUD_SLOW = 2
    CLOUD_FAST = 3
    WARMTH = 4
    WIND = 5
    HEAT_PUMP = 10
    HEAT_PUMP_CYCLE = 11
    EV_PLUG = 12
    EV_NEED = 13
    EV_NOISE = 14
    WASH = 15
    WASH_START = 16
    WASH_NOISE = 17
    DISHES = 18
    DISHES_START = 19
    DISHES_NOISE = 20
    FRIDGE = 21
    FRIDGE_NOISE = 22
    NETWORK = 23
    NETWORK_FAST = 24
    TELEVISION = 25
    TELEVISION_NOISE = 26
    LIGHTS = 27
    COOK = 28
    COOK_NOISE = 29
    KETTLE = 30
    BASE = 31
    BASE_FAST = 32
    SHOWER = 33
    TAP = 34
    BOILER = 35
    PRICE = 36
    CARBON = 37
    AWAY = 38


def uniform(seed: int, stream: Stream, place: Integers) -> Floats:
    """Return a number in [0, 1) for each place."""
    with np.errstate(over="ignore"):
        x = place.astype(np.uint64) * _GOLDEN + np.uint64((seed * 1_000_003 + stream * 7_919) & 0xFFFF_FFFF_FFFF_FFFF)
        x = (x ^ (x >> np.uint64(30))) * _MIX_1
        x = (x ^ (x >> np.uint64(27))) * _MIX_2
        x ^= x >> np.uint64(31)
    return (x >> np.uint64(11)).astype(np.float64) * 2.0**-53


def smooth(seed: int, stream: Stream, at_s: Integers, period_s: int) -> Floats:
    """Return a curve in [0, 1) that takes a new value every `period_s` and eases between them (value noise)."""
    knot = at_s // period_s
    share = (at_s - knot * period_s) / period_s
    share = share * share * (3.0 - 2.0 * share)
    before = uniform(seed, stream, knot)
    return before + (uniform(seed, stream, knot + 1) - before) * share

"""Readings: as they arrive (rows by Entity) and as they are read back (columns of one Entity)."""

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

LATEST_US = 4_102_444_800_000_000
"""The year 2100: what is later is a mistake of units. Every store keeps what lies between 1970 and this."""
NO_RESET = np.iinfo(np.int64).min
"""Stands for "no last_reset" in a column of int64."""


class Origin(IntEnum):
    """Where a Reading came from. The numbers are stored."""

    LIVE = 0
    RECORDER = 1
    IMPORT = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """One numeric value of one Entity at one instant; None = the entity became unavailable."""

    key: str
    ts_us: int
    value: float | None


@dataclass(slots=True)
class ReadingBatch:
    """Validated readings of one Site and origin, as parallel columns of equal length, in any order."""

    site: str
    origin: Origin
    keys: list[str] = field(default_factory=list)
    ts_us: list[int] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)
    reset_us: list[int | None] = field(default_factory=list)

    def __len__(self) -> int:
        """Return the number of readings."""
        return len(self.keys)


@dataclass(frozen=True, slots=True)
class ReadingSlice:
    """Readings of one Entity in ascending time: int64 us, float64 (NaN = null), int64 us or NO_RESET, uint8."""

    ts_us: NDArray[np.int64]
    value: NDArray[np.float64]
    reset_us: NDArray[np.int64]
    origin: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of readings."""
        return len(self.ts_us)


@dataclass(frozen=True, slots=True)
class ReducedSlice:
    """Readings of one Entity reduced to buckets that keep the extremes; empty buckets are left out.

    `start_us` is the start of each bucket, `mean` the plain mean of its readings, `count` their number.
    """

    bucket_us: int
    start_us: NDArray[np.int64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    mean: NDArray[np.float64]
    count: NDArray[np.int64]

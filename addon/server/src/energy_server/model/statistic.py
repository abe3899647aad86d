"""Statistics: one aggregated row of one Entity over one period of one Level."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

FIVE_MINUTES_US = 300_000_000
HOUR_US = 3_600_000_000

VALUE_COLUMNS = ("mean", "minimum", "maximum", "change", "last", "covered_s")
"""The float columns of Statistics."""


class Level(IntEnum):
    """A rollup resolution. The numbers are stored."""

    FIVE_MINUTES = 0
    HOUR = 1

    @property
    def period_us(self) -> int:
        """Return the length of a period."""
        return FIVE_MINUTES_US if self is Level.FIVE_MINUTES else HOUR_US


class Source(IntEnum):
    """Who made a Statistic; a rollup never touches an imported row. The numbers are stored."""

    ROLLUP = 0
    IMPORT = 1


class Provenance(IntEnum):
    """How an interval is known, best first; a sum is as good as its worst part. The numbers are stored."""

    MEASURED = 0
    BACKFILLED = 1
    INTERPOLATED = 2
    STATISTICS = 3
    MISSING = 4


@dataclass(frozen=True, slots=True)
class StatisticColumns:
    """Statistics of one Level as parallel columns; NaN = unknown.

    `place` is an index into `keys`; rows are ordered by (place, start_us) when read, in any order when written.
    `change` is in the Entity's unit; `covered_s` is how much of the period Coverage knows, at most its length.
    """

    keys: list[str]
    place: NDArray[np.int32]
    start_us: NDArray[np.int64]
    mean: NDArray[np.float64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    change: NDArray[np.float64]
    last: NDArray[np.float64]
    covered_s: NDArray[np.float64]
    provenance: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.start_us)

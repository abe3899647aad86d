"""The Levels of Statistics and the longest spread of an increase, as data.

In:   nothing.
Out:  `LEVELS`, finest first, each made from its parent (the first from readings); `SPREAD_MAX_US` by Kind of counter.
"""

from dataclasses import dataclass

from energy_server.model.entity import Kind
from energy_server.model.statistic import Level


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One Level: its name in the API, the length of its periods, and the Level that it sums up (None: readings)."""

    name: str
    level: Level
    period_us: int
    parent: Level | None


LEVELS = (
    # All of the world's UTC offsets are multiples of 15 minutes, so local days, weeks and years are sums of the first.
    LevelRow("5min", Level.FIVE_MINUTES, Level.FIVE_MINUTES.period_us, None),
    LevelRow("hour", Level.HOUR, Level.HOUR.period_us, Level.FIVE_MINUTES),
)

SPREAD_MAX_US = {Kind.ENERGY: 3_600_000_000, Kind.GAS: 3_600_000_000, Kind.WATER: 3_600_000_000}
"""A counter that was heard all the time and then grows did so in this last stretch; the Kinds that can be counters."""

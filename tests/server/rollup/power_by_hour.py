"""The energy of a recorded power sensor by hour, computed from its CSV alone: a value holds until the next.

In:   a CSV with the columns `timestamp,value` or `last_updated,state` (others are ignored), ISO-8601 and W. Out:  kWh
      by the start of each UTC hour, exact but for the last division. Independent of the product: no numpy, no floats.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
W_US_PER_KWH = 1000 * 3600 * 1_000_000


def states_of(path: Path) -> list[tuple[datetime, Fraction | None]]:
    """Read the states in ascending time; one that is no number is None."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    time, value = ("timestamp", "value") if "timestamp" in rows[0] else ("last_updated", "state")
    return sorted((datetime.fromisoformat(row[time]).astimezone(UTC), _number(row[value])) for row in rows)


def energy_by_hour(states: Iterable[tuple[datetime, Fraction | None]], until: datetime) -> dict[datetime, float]:
    """Return kWh by hour, from the first state to `until`."""
    watt_us: defaultdict[datetime, Fraction] = defaultdict(Fraction)
    known = [*states, (until, None)]
    for (since, value), (following, _) in pairwise(known):
        at = since
        while value is not None and at < following:
            hour = at.replace(minute=0, second=0, microsecond=0)
            stop = min(hour + HOUR, following)
            watt_us[hour] += value * ((stop - at) // MICROSECOND)
            at = stop
    return {hour: float(total / W_US_PER_KWH) for hour, total in sorted(watt_us.items())}


def _number(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except ValueError:
        return None

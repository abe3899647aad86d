"""Which rows are not stored yet: readings of another origin than live replace nothing.

In:   the connections; what is known in memory of each series; rows that are about to be written.
Out:  the rows without those that are not live and whose instant is stored already.
Failures: StoreUnavailableError.

A history arrives where there was nothing before, so nearly always memory knows that. Only what lies between the first
and the last reading of its series is looked up, which takes longer: QuestDB first has to show all that was written.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from energy_server.model.reading import Origin
from energy_server.store.questdb import queries
from energy_server.store.questdb.connection import Connections
from energy_server.store.questdb.rows import Columns
from energy_server.store.questdb.schema import READINGS
from energy_server.store.questdb.series import SeriesIndex

DAY_US = 86_400_000_000


async def absent(connections: Connections, series: SeriesIndex, rows: Columns) -> Columns:
    """Return the rows to write."""
    doubtful = np.flatnonzero((rows.origin != Origin.LIVE) & series.may_have(rows))
    if not len(doubtful):
        return rows
    await connections.visible(READINGS)
    stored: set[tuple[int, int]] = set()
    for site in {rows.pairs[place][0] for place in np.unique(rows.series[doubtful]).tolist()}:
        numbers = {key: place for place, (of, key) in enumerate(rows.pairs) if of == site}
        mine = doubtful[np.isin(rows.series[doubtful], list(numbers.values()))]
        keys = [rows.pairs[place][1] for place in np.unique(rows.series[mine]).tolist()]
        for start_us, end_us in _days(rows.ts[mine]):
            found = await queries.instants(connections, site, keys, start_us, end_us)
            stored.update((numbers[key], ts_us) for key, ts_us in found)
    doubts = zip(rows.series[doubtful].tolist(), rows.ts[doubtful].tolist(), strict=True)
    known = np.zeros(len(rows), np.bool_)
    known[doubtful] = [doubt in stored for doubt in doubts]
    return rows.pick(~known)


def _days(ts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield spans that hold all of the instants, each as long as the days in it follow on each other."""
    days = np.unique(ts // DAY_US)
    for run in np.split(days, np.flatnonzero(np.diff(days) > 1) + 1):
        inside = ts[(ts >= run[0] * DAY_US) & (ts < (run[-1] + 1) * DAY_US)]
        yield int(inside.min()), int(inside.max()) + 1

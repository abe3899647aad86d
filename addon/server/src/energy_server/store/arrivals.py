"""Which of several readings of one instant is kept: the one rule that every SeriesStore holds to. Pure.

In:   the columns of readings in the order in which they came.
Out:  places of rows.
Failures: none.
"""

import numpy as np
from numpy.typing import NDArray

from energy_server.model.reading import Origin


def one_per_instant(series: NDArray[np.int32], ts: NDArray[np.int64], origin: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the places of the rows to keep, ordered by (series, ts): the last live one, else the first of all."""
    arrival = np.arange(len(ts))
    preference = np.where(origin == Origin.LIVE, arrival, -1 - arrival)
    order = np.lexsort((preference, ts, series))
    ordered_series, ordered_ts = series[order], ts[order]
    best = np.ones(len(order), np.bool_)
    best[:-1] = (ordered_series[1:] != ordered_series[:-1]) | (ordered_ts[1:] != ordered_ts[:-1])
    kept: NDArray[np.intp] = order[best]
    return kept


def last_of_each(series: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return where the last row of each series is, of columns ordered by series."""
    last = np.ones(len(series), np.bool_)
    last[:-1] = series[1:] != series[:-1]
    return last

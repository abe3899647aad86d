"""Rows of Statistics: chosen, put together, completed. Pure.

In:   columns of Statistics.
Out:  columns of Statistics.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from energy_server.model.coverage import Span
from energy_server.model.statistic import Provenance, StatisticColumns

VALUES = ("mean", "minimum", "maximum", "change", "last", "covered_s", "provenance")
NOTHING = StatisticColumns(
    keys=[],
    place=np.empty(0, np.int32),
    start_us=np.empty(0, np.int64),
    mean=np.empty(0),
    minimum=np.empty(0),
    maximum=np.empty(0),
    change=np.empty(0),
    last=np.empty(0),
    covered_s=np.empty(0),
    provenance=np.empty(0, np.uint8),
)


def chosen(columns: StatisticColumns, rows: NDArray[np.bool] | NDArray[np.intp]) -> StatisticColumns:
    """Return some rows, in the order asked for."""
    values = {name: getattr(columns, name)[rows] for name in VALUES}
    return StatisticColumns(columns.keys, columns.place[rows], columns.start_us[rows], **values)


def within(columns: StatisticColumns, start_us: int, end_us: int) -> StatisticColumns:
    """Return the rows whose periods start in the span."""
    if len(columns) == 0 or (columns.start_us[0] >= start_us and columns.start_us[-1] < end_us):
        return columns
    return chosen(columns, (columns.start_us >= start_us) & (columns.start_us < end_us))


def together(parts: Sequence[StatisticColumns]) -> StatisticColumns:
    """Return the rows of several columns as one."""
    if not parts:
        return NOTHING
    keys: dict[str, int] = {}
    places = []
    for part in parts:
        numbers = [keys.setdefault(key, len(keys)) for key in part.keys]
        places.append(np.array(numbers, np.int32)[part.place])
    values = {name: np.concatenate([getattr(part, name) for part in parts]) for name in VALUES}
    start_us = np.concatenate([part.start_us for part in parts])
    return StatisticColumns(list(keys), np.concatenate(places), start_us, **values)


def afterwards(columns: StatisticColumns, late: Sequence[Span], period_us: int) -> StatisticColumns:
    """Return the rows of one Entity; what was measured is backfilled in periods of which a part came late."""
    if not late or len(columns) == 0:
        return columns
    since = np.array([span.since_us for span in late], np.int64)
    until = np.array([span.until_us for span in late], np.int64)
    at = np.searchsorted(until, columns.start_us, side="right")  # the first that ends after the period's start
    inside = np.minimum(at, len(late) - 1)
    touched = (at < len(late)) & (since[inside] < columns.start_us + period_us)
    came = touched & (columns.provenance == Provenance.MEASURED)
    return replace(columns, provenance=np.where(came, np.uint8(Provenance.BACKFILLED), columns.provenance))


def completed(columns: StatisticColumns, span: Span, period_us: int) -> StatisticColumns:
    """Return the rows of one Entity with a row that knows nothing for every other period of the span."""
    start_us = np.arange(span.since_us, span.until_us, period_us, dtype=np.int64)
    missing = start_us[~np.isin(start_us, columns.start_us)]
    unknown = np.full(len(missing), np.nan)
    empty = StatisticColumns(
        keys=columns.keys,
        place=np.zeros(len(missing), np.int32),
        start_us=missing,
        mean=unknown,
        minimum=unknown,
        maximum=unknown,
        change=unknown,
        last=unknown,
        covered_s=np.zeros(len(missing)),
        provenance=np.full(len(missing), Provenance.MISSING, np.uint8),
    )
    whole = together([columns, empty])
    return chosen(whole, np.argsort(whole.start_us))

"""Statistics: rows to write, and columns read back.

In:   StatisticColumns in any order; or what is wanted.
Out:  rows for the writer; StatisticColumns ordered by (place, start).
Failures: StoreUnavailableError.
"""

import asyncio
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from energy_server.model.statistic import VALUE_COLUMNS, Level, Source, StatisticColumns
from energy_server.store.questdb.connection import Connections, Row
from energy_server.store.questdb.queries import KEYS_AT_ONCE, LAST_US, MANY_ROWS, places
from energy_server.store.questdb.rows import NewRow
from energy_server.store.questdb.schema import STATISTICS

_WANTED = """
SELECT key, ts::long AS ts, provenance{columns} FROM {table}
WHERE site = $1 AND ts >= $2::long AND ts < $3::long AND level = {level} AND source = {source} AND key IN ({places})
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which Statistics are read; `columns` are some of VALUE_COLUMNS."""

    site: str
    keys: list[str]
    level: Level
    source: Source
    start_us: int
    end_us: int
    columns: Sequence[str]


def new_rows(site: str, level: Level, source: Source, rows: StatisticColumns) -> Iterator[NewRow]:
    """Yield rows for the writer, in their order: a later one replaces an earlier one of the same period."""
    symbols: list[dict[str, str | None]] = [{"site": site, "key": key} for key in rows.keys]
    values = zip(*(getattr(rows, name).tolist() for name in VALUE_COLUMNS), strict=True)
    head = zip(rows.place.tolist(), rows.start_us.tolist(), rows.provenance.tolist(), strict=True)
    for (place, start_us, provenance), floats in zip(head, values, strict=True):
        columns: dict[str, Any] = {
            name: value for name, value in zip(VALUE_COLUMNS, floats, strict=True) if not math.isnan(value)
        }
        columns |= {"level": int(level), "source": int(source), "provenance": provenance}
        yield STATISTICS, symbols[place], columns, start_us


async def read(connections: Connections, wanted: Wanted) -> StatisticColumns:
    """Return what is wanted."""
    rows: list[Row] = []
    for first in range(0, len(wanted.keys), KEYS_AT_ONCE):
        some = wanted.keys[first : first + KEYS_AT_ONCE]
        query = _WANTED.format(
            table=STATISTICS,
            columns="".join(f", {name}" for name in VALUE_COLUMNS if name in wanted.columns),
            level=int(wanted.level),
            source=int(wanted.source),
            places=places(4, len(some)),
        )
        start_us, end_us = max(0, wanted.start_us), max(0, min(wanted.end_us, LAST_US))
        rows += await connections.fetch(query, wanted.site, start_us, end_us, *some)
    if len(rows) > MANY_ROWS:
        return await asyncio.to_thread(_columns, wanted, rows)
    return _columns(wanted, rows)


def _columns(wanted: Wanted, rows: Sequence[Row]) -> StatisticColumns:
    place_of = {key: place for place, key in enumerate(wanted.keys)}
    place = np.array([place_of[row["key"]] for row in rows], np.int32)
    start_us = np.array([row["ts"] for row in rows], np.int64)
    order = np.lexsort((start_us, place))
    unknown = np.full(len(rows), np.nan)
    floats = {
        name: np.array([row[name] for row in rows], np.float64)[order] if name in wanted.columns else unknown
        for name in VALUE_COLUMNS
    }
    provenance = np.array([row["provenance"] for row in rows], np.uint8)
    return StatisticColumns(
        keys=wanted.keys, place=place[order], start_us=start_us[order], provenance=provenance[order], **floats
    )

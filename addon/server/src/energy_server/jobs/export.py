"""Everything that is stored, as tables: slice by slice, so that memory does not grow with the span.

In:   a SeriesStore, an Entity, a span.
Out:  `readings_of` and `statistics_of`: tables of bounded size, in ascending time; `lines_of`: a table as CSV.
Failures: StoreUnavailableError.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.model.coverage import Span
from energy_server.model.entity import Entity
from energy_server.model.reading import Origin
from energy_server.model.statistic import VALUE_COLUMNS, Level, Provenance, Source
from energy_server.store.port import SeriesStore

EVER = Span(0, 2**62)
READINGS_SLICE_US = 7 * 86_400_000_000
STATISTICS_SLICE_US = 366 * 86_400_000_000
ROWS_AT_ONCE = 20_000
"""So many lines are made at once: other work waits for some milliseconds."""
READINGS = ("entity_id", "key", "time", "value", "last_reset", "origin")
STATISTICS = ("entity_id", "key", "level", "source", "start", *VALUE_COLUMNS, "provenance")

_ORIGINS = np.array([origin.name.lower() for origin in Origin], dtype=object)
_PROVENANCES = np.array([provenance.name.lower() for provenance in Provenance], dtype=object)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one Entity: what all have in common, by name, then columns; instants are datetime64[us] in UTC."""

    common: dict[str, str]
    columns: dict[str, NDArray[np.generic]]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values())))


async def readings_of(series: SeriesStore, entity: Entity, span: Span) -> AsyncIterator[Table]:
    """Yield the readings of an Entity."""
    latest = (await series.latest(entity.site)).get(entity.key)
    until_us = min(span.until_us, 0 if latest is None else latest.ts_us + 1)
    since_us = span.since_us
    while since_us < until_us:
        first = await series.after(entity.site, entity.key, since_us)
        if not len(first):
            return
        since_us = int(first.ts_us[0])  # over what is empty, however long
        end_us = min(since_us + READINGS_SLICE_US, until_us)
        rows = await series.read(entity.site, entity.key, since_us, end_us)
        if len(rows):
            columns = {
                "time": _instants(rows.ts_us),
                "value": rows.value,
                "last_reset": _instants(rows.reset_us),
                "origin": _ORIGINS[rows.origin],
            }
            yield Table({"entity_id": entity.entity_id, "key": entity.key}, columns)
        since_us = end_us


async def statistics_of(
    series: SeriesStore, entity: Entity, level: tuple[str, Level], source: Source, span: Span
) -> AsyncIterator[Table]:
    """Yield the Statistics of an Entity at a Level, given with its name."""
    name, which = level
    common = {"entity_id": entity.entity_id, "key": entity.key, "level": name, "source": source.name.lower()}
    for since_us in range(span.since_us, span.until_us, STATISTICS_SLICE_US):
        end_us = min(since_us + STATISTICS_SLICE_US, span.until_us)
        rows = await series.statistics(entity.site, [entity.key], which, source, since_us, end_us)
        if len(rows):
            values = {column: getattr(rows, column) for column in VALUE_COLUMNS}
            yield Table(
                common, {"start": _instants(rows.start_us), **values, "provenance": _PROVENANCES[rows.provenance]}
            )


def _instants(us: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Return instants; NO_RESET is the number of NaT."""
    return us.astype("datetime64[us]")


def head_of(columns: tuple[str, ...]) -> bytes:
    """Return the first line of a CSV file."""
    return (",".join(columns) + "\r\n").encode()


def lines_of(table: Table) -> Iterator[bytes]:
    """Yield the rows as lines of CSV, some thousand at once: ISO 8601 in UTC, nothing for what is null."""
    first = _quoted(list(table.common.values()))
    for start in range(0, len(table), ROWS_AT_ONCE):
        texts = [_texts(column[start : start + ROWS_AT_ONCE]) for column in table.columns.values()]
        yield "".join([f"{first},{','.join(row)}\r\n" for row in zip(*texts, strict=True)]).encode()


def _quoted(values: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue().rstrip("\r\n")


def _texts(column: NDArray[np.generic]) -> list[str]:
    if column.dtype.kind == "M":
        return ["" if text == "NaT" else f"{text}Z" for text in np.datetime_as_string(column).tolist()]  # type: ignore[arg-type]
    if column.dtype.kind == "f":
        return ["" if value != value else repr(value) for value in column.tolist()]  # noqa: PLR0124 NaN
    return list(column.tolist())

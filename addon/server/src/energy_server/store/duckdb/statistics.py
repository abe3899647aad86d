"""The file of Statistics: one table for each (Level, Source, year).

In:   rows of one Level and Source.
Out:  the same rows, durable; the rows of some series in a span.
Failures: DuckDB's own errors, translated by the store.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from energy_server.model.statistic import VALUE_COLUMNS, Level, Source, StatisticColumns
from energy_server.store.duckdb.connection import attach
from energy_server.store.duckdb.slices import slices

ALIAS = "statistics"
_LEVELS = {Level.FIVE_MINUTES: "five", Level.HOUR: "hour"}
_SOURCES = {Source.ROLLUP: "rollup", Source.IMPORT: "import"}
_TABLES = "SELECT table_name FROM duckdb_tables() WHERE database_name = $1"
_CREATE = """
CREATE TABLE IF NOT EXISTS {table} (
    series INTEGER NOT NULL, start BIGINT NOT NULL, mean DOUBLE, minimum DOUBLE, maximum DOUBLE, change DOUBLE,
    last DOUBLE, covered_s DOUBLE, provenance UTINYINT NOT NULL
)
"""
_MERGE = """
MERGE INTO {table} t USING batch s ON t.series = s.series AND t.start = s.start
    AND t.start BETWEEN {first_start} AND {last_start} AND t.series BETWEEN {first_series} AND {last_series}
WHEN MATCHED THEN UPDATE SET mean = s.mean, minimum = s.minimum, maximum = s.maximum, change = s.change,
    last = s.last, covered_s = s.covered_s, provenance = s.provenance
WHEN NOT MATCHED THEN INSERT (series, start, mean, minimum, maximum, change, last, covered_s, provenance)
    VALUES (s.series, s.start, s.mean, s.minimum, s.maximum, s.change, s.last, s.covered_s, s.provenance)
"""
_SCATTERED = """
SELECT series FROM {table} GROUP BY series HAVING max(rowid) - min(rowid) + 1 <> count(*) LIMIT 1
"""
_SIZES = "SELECT series, count(*) FROM {table} GROUP BY series ORDER BY series"
_COPY = """
INSERT INTO {sorted} SELECT * FROM {table} WHERE series BETWEEN {first} AND {last} ORDER BY series, start
"""
_READ = """
SELECT {columns} FROM {table} WHERE series = {number} AND start >= {start} AND start < {end}
"""
_TYPES = {"series": np.int32, "start": np.int64, "provenance": np.uint8}


@dataclass(frozen=True, slots=True)
class Rows:
    """Statistics of any series of one Level and Source, by column name; `start` is always among them."""

    columns: dict[str, NDArray[np.generic]]

    @property
    def start(self) -> NDArray[np.int64]:
        """Return the starts of the periods."""
        return self.columns["start"].astype(np.int64, copy=False)

    def pick(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Rows:
        """Return some of the rows."""
        return Rows({name: column[rows] for name, column in self.columns.items()})

    def last_of_each(self) -> Rows:
        """Return the rows ordered by (series, start), of equal ones the last."""
        series, start = self.columns["series"], self.start
        order = np.lexsort((start, series))
        series, start = series[order], start[order]
        last = np.empty(len(order), np.bool_)
        last[-1:] = True
        last[:-1] = (series[1:] != series[:-1]) | (start[1:] != start[:-1])
        return self.pick(order[last])


class StatisticsFile:
    """All Statistics. Written by the one writer thread, read in any."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._years: dict[tuple[Level, Source], set[int]] = {pair: set() for pair in product(Level, Source)}

    def open(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Attach the file and see which tables it has."""
        attach(cursor, self._path, ALIAS)
        tables = [name.rsplit("_", 1) for (name,) in cursor.execute(_TABLES, [ALIAS]).fetchall()]
        for pair, years in self._years.items():
            years.update(int(year) for name, year in tables if name == _name(*pair))

    def tables(self) -> list[str]:
        """Return the names of all tables."""
        return [_table(*pair, year) for pair, years in self._years.items() for year in sorted(years)]

    def put(self, cursor: duckdb.DuckDBPyConnection, level: Level, source: Source, rows: Rows) -> None:
        """Insert or replace rows, in one transaction."""
        years = _years(rows.start)
        cursor.execute("BEGIN")
        known = self._years[level, source]
        for year in np.unique(years).tolist():
            table = _table(level, source, year)
            if year not in known:
                cursor.execute(_CREATE.format(table=table))
            _merge(cursor, table, rows.pick(years == year))
        cursor.execute("COMMIT")
        known.update(years.tolist())

    def sort(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Rewrite the tables whose series do not lie together in the order (series, start)."""
        for table in self.tables():
            if cursor.execute(_SCATTERED.format(table=table)).fetchone():
                _sort(cursor, table)
        cursor.execute(f"CHECKPOINT {ALIAS}")

    def read(
        self,
        cursor: duckdb.DuckDBPyConnection,
        pair: tuple[Level, Source],
        numbers: Sequence[int],
        span: tuple[int, int],
        columns: Sequence[str],
    ) -> list[Rows]:
        """Return the rows of each series whose periods start in the span, in ascending time."""
        first, last = _years(np.array([span[0], max(span[0], span[1] - 1)])).tolist()
        tables = [_table(*pair, year) for year in sorted(self._years[pair]) if first <= year <= last]
        return [_read(cursor, tables, number, span, columns) for number in numbers]


def _read(
    cursor: duckdb.DuckDBPyConnection, tables: Sequence[str], number: int, span: tuple[int, int], columns: Sequence[str]
) -> Rows:
    if not tables:
        return Rows({name: np.empty(0, _TYPES.get(name, np.float64)) for name in columns})
    names = ", ".join(columns)
    selects = [_READ.format(columns=names, table=table, number=number, start=span[0], end=span[1]) for table in tables]
    # a relation is fetched whole; a cursor's result would be streamed, which is several times slower
    found = Rows(_filled(cursor.sql(" UNION ALL ".join(selects)).fetchnumpy()))
    start = found.start
    return found if (start[1:] > start[:-1]).all() else found.pick(np.argsort(start))


def _sort(cursor: duckdb.DuckDBPyConnection, table: str) -> None:
    in_order = f"{table}_sorted"
    cursor.execute("BEGIN")
    cursor.execute(_CREATE.format(table=in_order))
    sizes = cursor.execute(_SIZES.format(table=table)).fetchall()
    for first, last in slices(sizes):
        cursor.execute(_COPY.format(sorted=in_order, table=table, first=first, last=last))
    cursor.execute(f"DROP TABLE {table}")
    cursor.execute(f"ALTER TABLE {in_order} RENAME TO {table.removeprefix(f'{ALIAS}.')}")
    cursor.execute("COMMIT")


def together(keys: list[str], places: Sequence[int], parts: Sequence[Rows]) -> StatisticColumns:
    """Return the rows of several series as one; columns that were not read are NaN."""
    lengths = [len(part.start) for part in parts]
    rows = sum(lengths)

    def column(name: str, missing: float) -> NDArray[Any]:
        found = [part.columns[name] for part in parts if name in part.columns]
        kind = _TYPES.get(name, np.float64)
        if not found:
            return np.broadcast_to(np.array(missing, kind), rows)  # one number, however many rows
        return np.concatenate(found, dtype=kind)

    return StatisticColumns(
        keys=keys,
        place=np.repeat(np.array(places, np.int32), lengths),
        start_us=column("start", 0),
        provenance=column("provenance", 0),
        **{name: column(name, np.nan) for name in VALUE_COLUMNS},
    )


def _merge(cursor: duckdb.DuckDBPyConnection, table: str, rows: Rows) -> None:
    series, start = rows.columns["series"].astype(np.int64), rows.start
    cursor.register("batch", rows.columns)
    try:
        cursor.execute(
            _MERGE.format(
                table=table,
                first_start=start.min(),
                last_start=start.max(),
                first_series=series.min(),
                last_series=series.max(),
            )
        )
    finally:
        cursor.unregister("batch")


def _filled(columns: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    return {
        name: column.filled(np.nan) if isinstance(column, np.ma.MaskedArray) else column
        for name, column in columns.items()
    }


def _name(level: Level, source: Source) -> str:
    return f"{_LEVELS[level]}_{_SOURCES[source]}"


def _table(level: Level, source: Source, year: int) -> str:
    return f"{ALIAS}.{_name(level, source)}_{year}"


def _years(start: NDArray[np.int64]) -> NDArray[np.int64]:
    return start.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970

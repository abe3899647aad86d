"""The file of Statistics: for each (Level, Source, year) a sorted head, and a tail in which rows lie as they came.

In:   rows of one Level and Source.
Out:  the same rows, durable; the rows of some series in a span.
Failures: DuckDB's own errors, translated by the store; CopyDiffersError, a defect.

The head lies in the order (series, start), so that a series is read from one place; it has everything that starts until
`until`. What starts later goes to the tail, where the present is found in a short table.

A tail that has grown long is made part of the head: `begin` and `finish` in the thread that writes, and short; `copy`
beside reads and writes, slice by slice. What is put meanwhile is noted, and put into the new tables too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from time import sleep
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from energy_server.model.statistic import VALUE_COLUMNS, Level, Source, StatisticColumns
from energy_server.store.duckdb.connection import attach, commit, fetched
from energy_server.store.duckdb.copying import CopyDiffersError, Size, Walk, copy_next
from energy_server.store.duckdb.gate import Gate

ALIAS = "statistics"
LONGEST_TAIL_ROWS = 100_000
LONGEST_TAIL_SHARE = 20
"""A tail is long that has more than this part of its head's rows too: each sorting writes all of the head anew."""
MOST_NOTED_ROWS = 200_000
"""So many rows may be put into a year while it is rewritten; more abandon the rewriting."""
CHECKPOINT_TRIES = 40
CHECKPOINT_AGAIN_S = 0.05
FEW_PERIODS = 10_000
"""Up to so many of each series, one query for all series is faster than one for each."""

_PUT_MEANWHILE = "other write transactions active"
"""Why DuckDB refuses a checkpoint while something is put."""

_LEVELS = {Level.FIVE_MINUTES: "five", Level.HOUR: "hour"}
_SOURCES = {Source.ROLLUP: "rollup", Source.IMPORT: "import"}
_TYPES = {"place": np.int32, "series": np.int32, "start": np.int64, "provenance": np.uint8}

_CREATE_HEADS = "CREATE TABLE IF NOT EXISTS statistics.sorted_until (name VARCHAR NOT NULL, until BIGINT NOT NULL)"
_TABLES = """
SELECT table_name, until FROM duckdb_tables() LEFT JOIN statistics.sorted_until ON name = table_name
WHERE database_name = 'statistics' AND table_name SIMILAR TO '(five|hour)_(rollup|import)_[0-9]+'
"""
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
_LEFT = (
    "SELECT table_name FROM duckdb_tables() WHERE database_name = 'statistics' AND table_name SIMILAR TO '.*_sorted'"
)
_COLUMNS = ("series", "start", *VALUE_COLUMNS, "provenance")
_EXTENT = "SELECT count(*), max(start) FROM {table}"
_COUNT = "SELECT count(*) FROM {table}"
_SPLIT = "SELECT count(*) FILTER (WHERE start <= {until}), count(*) FILTER (WHERE start > {until}) FROM {table}"
_BOTH = "SELECT * FROM {head} UNION ALL SELECT * FROM {tail}"
_SIZES = """
SELECT series, count(*), min(start), max(start) FROM ({source}) WHERE start <= {until} GROUP BY series ORDER BY series
"""
_UPTO = "SELECT * FROM ({source}) WHERE start <= {until}"
_READ_ONE = "SELECT {columns} FROM {table} WHERE series = {number}{within}"
_READ_MANY = "SELECT series, {columns} FROM {table} WHERE series IN ({numbers}){within}"


@dataclass(frozen=True, slots=True)
class Rows:
    """Statistics of one Level and Source, by column name; `start` is always among them."""

    columns: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.columns["start"])

    def pick(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Rows:
        """Return some of the rows."""
        return Rows({name: column[rows] for name, column in self.columns.items()})

    def last_of_each(self) -> Rows:
        """Return the rows ordered by (series, start), of equal ones the last."""
        order = np.lexsort((self.columns["start"], self.columns["series"]))
        series, start = self.columns["series"][order], self.columns["start"][order]
        last = np.empty(len(order), np.bool_)
        last[-1:] = True
        last[:-1] = (series[1:] != series[:-1]) | (start[1:] != start[:-1])
        return self.pick(order[last])


@dataclass(frozen=True, slots=True)
class _Year:
    """The tables of one year of one Level and Source; `until` None: there is no head yet."""

    number: int
    tail: str
    until: int | None = None

    @property
    def head(self) -> str:
        """Return the name of the head's table."""
        return f"{self.tail}_head"

    @property
    def both(self) -> str:
        """Return a query of all rows."""
        return f"FROM {self.tail}" if self.until is None else _BOTH.format(head=self.head, tail=self.tail)


@dataclass(slots=True)
class Rewriting:
    """A head under way, of all rows that start until `until`; `noted` are the rows put since, None when too many."""

    pair: tuple[Level, Source]
    year: _Year
    until: int
    noted: list[Rows] | None = field(default_factory=list)
    walk: Walk = field(default_factory=lambda: Walk([]))

    @property
    def table(self) -> str:
        """Return the name of the new table."""
        return f"{self.year.tail}_sorted"

    @property
    def name(self) -> str:
        """Return which Statistics these are."""
        return f"{_prefix(*self.pair)}_{self.year.number}"

    def note(self, rows: Rows) -> None:
        """Remember what was put."""
        if self.noted is not None:
            self.noted.append(rows)
            if sum(map(len, self.noted)) > MOST_NOTED_ROWS:
                self.noted = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read: the numbers of the series, the span, the columns beside `start`."""

    numbers: Mapping[int, int]
    """By the place of their key."""
    start_us: int
    end_us: int
    columns: Sequence[str]


class StatisticsFile:
    """All Statistics. Written in one thread, read in any."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._gate = Gate()  # between readers and the exchange of tables
        self._years: dict[tuple[Level, Source], dict[int, _Year]] = {pair: {} for pair in product(Level, Source)}
        self._rewriting: Rewriting | None = None

    def open(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Attach the file and see which tables it has."""
        attach(cursor, self.path, ALIAS)
        cursor.execute(_CREATE_HEADS)
        for (left,) in cursor.execute(_LEFT).fetchall():  # by a rewriting that was interrupted
            cursor.execute(f"DROP TABLE {ALIAS}.{left}")
        prefixes = {_prefix(*pair): pair for pair in self._years}
        for name, until in cursor.execute(_TABLES).fetchall():
            prefix, _, year = name.rpartition("_")
            self._years[prefixes[prefix]][int(year)] = _Year(int(year), f"{ALIAS}.{name}", until)

    def tables(self) -> list[str]:
        """Return the names of all tables."""
        known = [year for years in self._years.values() for year in years.values()]
        return [year.tail for year in known] + [year.head for year in known if year.until is not None]

    def put(self, cursor: duckdb.DuckDBPyConnection, pair: tuple[Level, Source], rows: Rows) -> None:
        """Insert or replace rows, in one transaction."""
        start = rows.columns["start"]
        years = _years(start)
        touched: dict[int, _Year] = {}
        cursor.execute("BEGIN")
        for number in np.unique(years).tolist():
            year = self._years[pair].get(number)
            if year is None:
                year = _Year(number, f"{ALIAS}.{_prefix(*pair)}_{number}")
                cursor.execute(_CREATE.format(table=year.tail))
            touched[number] = year
            in_head = np.zeros(len(rows), np.bool_) if year.until is None else start <= year.until
            _merge(cursor, year.head, rows.pick((years == number) & in_head))
            _merge(cursor, year.tail, rows.pick((years == number) & ~in_head))
        commit(cursor)
        self._years[pair] |= touched
        rewriting = self._rewriting
        if rewriting is not None and rewriting.pair == pair and rewriting.year.number in touched:
            rewriting.note(rows.pick(years == rewriting.year.number))

    def begin(self, cursor: duckdb.DuckDBPyConnection, longest_tail: int) -> Rewriting | None:
        """Begin to rewrite the first year whose tail has grown long, if there is one. In the thread that writes."""
        for pair, years in self._years.items():
            for year in years.values():
                rows, last = _extent(cursor, year.tail)
                head_rows = 0 if year.until is None else _extent(cursor, year.head)[0]
                if rows > max(longest_tail, head_rows // LONGEST_TAIL_SHARE):
                    self._rewriting = Rewriting(pair, year, last)
                    return self._rewriting
        return None

    def prepare(self, cursor: duckdb.DuckDBPyConnection, rewriting: Rewriting) -> None:
        """Make the new table, and see what is to be copied."""
        cursor.execute(f"DROP TABLE IF EXISTS {rewriting.table}")
        cursor.execute(_CREATE.format(table=rewriting.table))
        sizes = cursor.execute(_SIZES.format(source=rewriting.year.both, until=rewriting.until)).fetchall()
        rewriting.walk = Walk([Size(*size) for size in sizes])

    def copy(self, cursor: duckdb.DuckDBPyConnection, rewriting: Rewriting, most_rows: int) -> None:
        """Copy the next rows, in order."""
        source = _UPTO.format(source=rewriting.year.both, until=rewriting.until)
        copy_next(cursor, rewriting.walk, source, rewriting.table, _COLUMNS, most_rows)

    def checkpoint(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Let what was written reach the file, between two puts; where there is no between, a later commit does it."""
        for _ in range(CHECKPOINT_TRIES):
            try:
                cursor.execute(f"CHECKPOINT {ALIAS}")
            except duckdb.TransactionException as err:
                if _PUT_MEANWHILE not in str(err):
                    raise
                sleep(CHECKPOINT_AGAIN_S)
            else:
                return

    def finish(self, cursor: duckdb.DuckDBPyConnection, rewriting: Rewriting) -> bool:
        """Let the new head take its place; False when it was abandoned. In the thread that writes."""
        if rewriting.noted is None:
            return False
        year = replace(rewriting.year, until=rewriting.until)
        cursor.execute("BEGIN")
        _exchange(cursor, rewriting, _last_of_all(rewriting.noted))
        with self._gate.alone():
            commit(cursor)
            self._years[rewriting.pair][year.number] = year
        self._rewriting = None
        return True

    def forget(self, cursor: duckdb.DuckDBPyConnection, rewriting: Rewriting) -> None:
        """Leave nothing of a rewriting that was given up; nothing at all of one that was finished."""
        self._rewriting = None
        cursor.execute(f"DROP TABLE IF EXISTS {rewriting.table}")

    def read(
        self, cursor: duckdb.DuckDBPyConnection, pair: tuple[Level, Source], keys: Sequence[str], wanted: Wanted
    ) -> StatisticColumns:
        """Return the rows of each series whose periods start in the span, in ascending time."""
        first, last = _years(np.array([wanted.start_us, max(wanted.start_us, wanted.end_us - 1)])).tolist()
        with self._gate.shared():
            years = [year for number, year in sorted(self._years[pair].items()) if first <= number <= last]
            if not years or not wanted.numbers:
                return _together(keys, replace(wanted, numbers={}), [], 0)
            start_us = max(wanted.start_us, _year_start_us(years[0].number))
            end_us = min(wanted.end_us, _year_start_us(years[-1].number + 1))
            most_rows = len(wanted.numbers) * (-(-(end_us - start_us) // pair[0].period_us))
            return _together(keys, wanted, _read(cursor, pair[0], years, wanted), most_rows)


def _together(keys: Sequence[str], wanted: Wanted, parts: Iterable[Rows], most_rows: int) -> StatisticColumns:
    """Return the rows of the series, one after the other, as one; columns that were not read are NaN.

    Each part is copied to its place as it comes and let go, so that a long span is in memory once.
    """
    columns = {name: np.empty(most_rows, _TYPES.get(name, np.float64)) for name in ("place", "start", *wanted.columns)}
    rows = 0
    for place, part in zip(wanted.numbers, parts, strict=True):
        until = rows + len(part)
        columns["place"][rows:until] = place
        for name, column in part.columns.items():
            columns[name][rows:until] = column
        rows = until
    unknown = np.broadcast_to(np.array(np.nan), rows)  # one number, however many rows
    return StatisticColumns(
        keys=list(keys),
        place=columns["place"][:rows],
        start_us=columns["start"][:rows],
        provenance=columns["provenance"][:rows],
        **{name: columns[name][:rows] if name in columns else unknown for name in VALUE_COLUMNS},
    )


def _merge(cursor: duckdb.DuckDBPyConnection, table: str, rows: Rows) -> None:
    if not len(rows):
        return
    bounds = {
        f"{edge}_{name}": int(pick(rows.columns[name]))
        for edge, pick in (("first", np.min), ("last", np.max))
        for name in ("series", "start")
    }
    cursor.register("batch", rows.columns)
    cursor.execute(_MERGE.format(table=table, **bounds))
    cursor.unregister("batch")  # not after a failure: it would fail too, and hide why


def _extent(cursor: duckdb.DuckDBPyConnection, table: str) -> tuple[int, int]:
    """Return how many rows a table has, and the last start."""
    rows, last = cursor.execute(_EXTENT.format(table=table)).fetchall()[0]
    return int(rows), int(last or 0)


def _count(cursor: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(cursor.execute(_COUNT.format(table=table)).fetchall()[0][0])


def _rows_upto_and_after(cursor: duckdb.DuckDBPyConnection, rewriting: Rewriting) -> tuple[int, int]:
    """Return how many rows of the year belong to the new head, and how many to the new tail."""
    year = rewriting.year
    upto, after = cursor.execute(_SPLIT.format(table=year.tail, until=rewriting.until)).fetchall()[0]
    return int(upto) + (0 if year.until is None else _count(cursor, year.head)), int(after)


def _last_of_all(parts: Sequence[Rows]) -> Rows | None:
    if not parts:
        return None
    names = parts[0].columns
    return Rows({name: np.concatenate([part.columns[name] for part in parts]) for name in names}).last_of_each()


def _exchange(cursor: duckdb.DuckDBPyConnection, rewriting: Rewriting, noted: Rows | None) -> None:
    """Make the copy the head and empty the tail, both with what was put since the copying began."""
    tail, name = rewriting.year.tail, rewriting.name
    rows = _rows_upto_and_after(cursor, rewriting)
    cursor.execute(f"DROP TABLE IF EXISTS {rewriting.year.head}")
    cursor.execute(f"ALTER TABLE {rewriting.table} RENAME TO {name}_head")
    cursor.execute(f"DROP TABLE {tail}")
    cursor.execute(_CREATE.format(table=tail))
    if noted is not None:
        in_head = noted.columns["start"] <= rewriting.until
        _merge(cursor, rewriting.year.head, noted.pick(in_head))
        _merge(cursor, tail, noted.pick(~in_head))
    exchanged = (_count(cursor, rewriting.year.head), _count(cursor, tail))
    if exchanged != rows:
        raise CopyDiffersError(f"Of {name} there were {rows} rows until and after {rewriting.until}, now {exchanged}")
    cursor.execute("DELETE FROM statistics.sorted_until WHERE name = $1", [name])
    cursor.execute("INSERT INTO statistics.sorted_until VALUES ($1, $2)", [name, rewriting.until])


def _read(cursor: duckdb.DuckDBPyConnection, level: Level, years: Sequence[_Year], wanted: Wanted) -> Iterator[Rows]:
    """Yield the rows of each series, in ascending time."""
    heads = [(year, year.head) for year in years if year.until is not None]
    tails = [(year, year.tail) for year in years]
    if wanted.end_us - wanted.start_us <= FEW_PERIODS * level.period_us:
        yield from _read_many(cursor, [*heads, *tails], wanted)
        return
    for head, tail in zip(_read_each(cursor, heads, wanted), _read_many(cursor, tails, wanted), strict=True):
        yield _joined(head, tail)


def _read_each(
    cursor: duckdb.DuckDBPyConnection, tables: Sequence[tuple[_Year, str]], wanted: Wanted
) -> Iterator[Rows]:
    """Yield the rows of each series by a query of its own: best where a series lies together and has many rows."""
    columns = ", ".join(["start", *wanted.columns])
    for number in wanted.numbers.values():
        selects = [
            _READ_ONE.format(columns=columns, table=table, number=number, within=_within(year, wanted))
            for year, table in tables
        ]
        yield Rows(_filled(fetched(cursor, " UNION ALL ".join(selects)))) if selects else _no_rows(wanted.columns)


def _read_many(
    cursor: duckdb.DuckDBPyConnection, tables: Sequence[tuple[_Year, str]], wanted: Wanted
) -> Iterator[Rows]:
    """Yield the rows of each series from one query: best where series lie scattered, or have few rows."""
    columns, numbers = ", ".join(["start", *wanted.columns]), ", ".join(map(str, wanted.numbers.values()))
    selects = [
        _READ_MANY.format(columns=columns, table=table, numbers=numbers, within=_within(year, wanted))
        for year, table in tables
    ]
    found = Rows(_filled(fetched(cursor, " UNION ALL ".join(selects))))
    order = np.argsort(found.columns["series"], kind="stable")  # sorted runs are merged, which is fast
    found = found.pick(order)
    series = found.columns.pop("series")
    for number in wanted.numbers.values():
        first, last = np.searchsorted(series, (number, number + 1))
        yield _in_order(found.pick(slice(int(first), int(last))))


def _within(year: _Year, wanted: Wanted) -> str:
    """Return the conditions on `start` that the year alone does not fulfil: each costs a pass over the column."""
    lower = f" AND start >= {wanted.start_us}" if wanted.start_us > _year_start_us(year.number) else ""
    upper = f" AND start < {wanted.end_us}" if wanted.end_us < _year_start_us(year.number + 1) else ""
    return lower + upper


def _joined(head: Rows, tail: Rows) -> Rows:
    """Return the rows of one series, in ascending time."""
    if not len(tail):
        return _in_order(head)
    return _in_order(Rows({name: np.concatenate([head.columns[name], tail.columns[name]]) for name in head.columns}))


def _in_order(rows: Rows) -> Rows:
    start = rows.columns["start"]
    return rows if (start[1:] > start[:-1]).all() else rows.pick(np.argsort(start))


def _no_rows(columns: Sequence[str]) -> Rows:
    return Rows({name: np.empty(0, _TYPES.get(name, np.float64)) for name in ("start", *columns)})


def _filled(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {
        name: column.filled(np.nan) if isinstance(column, np.ma.MaskedArray) else column
        for name, column in columns.items()
    }


def _prefix(level: Level, source: Source) -> str:
    return f"{_LEVELS[level]}_{_SOURCES[source]}"


def _years(start: NDArray[np.int64]) -> NDArray[np.int64]:
    return start.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970


def _year_start_us(year: int) -> int:
    return int(np.datetime64(year - 1970, "Y").astype("datetime64[us]").astype(np.int64))

"""Series: every (site, key) as a small number, and the latest reading of each in memory.

In:   new keys, and the rows that were just stored.
Out:  numbers for keys; the latest reading of a number; which rows are provably new.
Failures: DuckDB's own errors from `register` and `load`, translated by the store.

`last_month` is the newest month that may hold readings of a series. It is durable before the readings are, so that
opening finds the latest reading of each series in one month, however many there are.
"""

from collections.abc import Mapping, Sequence
from threading import Lock

import duckdb
import numpy as np
from numpy.typing import NDArray

from energy_server.model.reading import Origin
from energy_server.store.duckdb.columns import Columns

NEVER = np.iinfo(np.int64).min
_NO_MONTH = -1
_CREATE = """
CREATE TABLE IF NOT EXISTS series (
    number INTEGER NOT NULL, site VARCHAR NOT NULL, key VARCHAR NOT NULL, last_month INTEGER NOT NULL
)
"""
_ADD = "INSERT INTO series SELECT unnest($1::INTEGER[]), unnest($2::VARCHAR[]), unnest($3::VARCHAR[]), -1"
_SET_MONTH = "UPDATE series SET last_month = $1 WHERE number IN (SELECT unnest($2::INTEGER[])) AND last_month < $1"


class SeriesIndex:
    """The numbers, last months and latest readings of all series."""

    def __init__(self) -> None:
        self._writing = Lock()  # readings and Statistics are written in threads of their own
        self._lock = Lock()  # the writer thread advances what the event loop reads
        self._numbers: dict[tuple[str, str], int] = {}
        self._by_site: dict[str, dict[str, int]] = {}
        self._last_month = np.empty(0, np.int32)
        self._latest = Columns(
            np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0, np.uint8)
        )

    def load(self, cursor: duckdb.DuckDBPyConnection) -> dict[int, list[int]]:
        """Read the numbers; return them by the newest month that may hold readings of them."""
        cursor.execute(_CREATE)
        rows = cursor.execute("SELECT number, site, key, last_month FROM series ORDER BY number").fetchall()
        self._grow(len(rows))
        months: dict[int, list[int]] = {}
        for number, site, key, last_month in rows:
            self._remember(number, site, key)
            self._last_month[number] = last_month
            months.setdefault(last_month, []).append(number)
        return months

    def number(self, site: str, key: str) -> int | None:
        """Return the number of a series, or None where nothing of it was ever stored."""
        return self._numbers.get((site, key))

    def known(self, site: str, key: str) -> int:
        """Return the number of a series that was registered."""
        return self._numbers[site, key]

    def of_site(self, site: str) -> Mapping[str, int]:
        """Return the numbers of a Site's keys."""
        return self._by_site.get(site, {})

    def register(self, cursor: duckdb.DuckDBPyConnection, wanted: Sequence[tuple[str, str]]) -> None:
        """Give a number to every (site, key) that has none yet; durable when this returns."""
        with self._writing:
            new = [pair for pair in dict.fromkeys(wanted) if pair not in self._numbers]
            if not new:
                return
            first = len(self._numbers)
            numbers = list(range(first, first + len(new)))
            cursor.execute(_ADD, [numbers, [site for site, _ in new], [key for _, key in new]])
            with self._lock:
                self._grow(len(new))
            for number, (site, key) in zip(numbers, new, strict=True):
                self._remember(number, site, key)

    def enter_month(self, cursor: duckdb.DuckDBPyConnection, series: NDArray[np.int32], month: int) -> None:
        """Remember that these series may have readings in the month; durable when this returns."""
        with self._writing:
            entering = np.unique(series[self._last_month[series] < month])
            if len(entering):
                cursor.execute(_SET_MONTH, [month, entering.tolist()])
                self._last_month[entering] = month

    def known_new(self, columns: Columns) -> NDArray[np.bool_]:
        """Tell which rows are newer than everything of their series, so that they cannot be stored already."""
        return columns.ts > self._latest.ts[columns.series]

    def advance(self, newest: Columns) -> None:
        """Take over the newest rows of an append, at most one for each series, where they are not older."""
        with self._lock:
            latest = self._latest
            known_ts = latest.ts[newest.series]
            replaces = (newest.ts == known_ts) & (newest.origin == Origin.LIVE)
            later = newest.pick((newest.ts > known_ts) | replaces)
            for column in ("ts", "value", "reset", "origin"):
                getattr(latest, column)[later.series] = getattr(later, column)

    def latest(self, number: int) -> Columns:
        """Return the latest reading of a series: one row, or none."""
        with self._lock:
            heard = self._latest.ts[number] != NEVER
            return self._latest.pick(np.array([number] if heard else [], np.intp))

    def _remember(self, number: int, site: str, key: str) -> None:
        self._numbers[site, key] = number
        self._by_site.setdefault(site, {})[key] = number

    def _grow(self, count: int) -> None:
        self._last_month = np.append(self._last_month, np.full(count, _NO_MONTH, np.int32))
        latest = self._latest
        first = len(latest)
        self._latest = Columns(
            np.append(latest.series, np.arange(first, first + count, dtype=np.int32)),
            np.append(latest.ts, np.full(count, NEVER)),
            np.append(latest.value, np.full(count, np.nan)),
            np.append(latest.reset, np.full(count, NEVER)),
            np.append(latest.origin, np.zeros(count, np.uint8)),
        )

"""Months whose file was set aside: remembered until somebody heard of it.

In:   files that are about to be set aside.
Out:  what was lost with them. It is durable before the file is, so that a kill in between forgets nothing.
Failures: DuckDB's own errors, translated by the store.
"""

from collections.abc import Sequence

import duckdb

from energy_server.model.coverage import Span
from energy_server.store.duckdb.columns import month_start_us
from energy_server.store.port import Loss

DAMAGED = ".damaged"
_CREATE = "CREATE TABLE IF NOT EXISTS lost (name VARCHAR NOT NULL, month INTEGER NOT NULL)"
_LOAD = "SELECT name, month FROM lost ORDER BY month, name"


class LostMonths:
    """The lost months, by the names of their files. Written by the one writer thread; read in any."""

    def __init__(self) -> None:
        self._months: dict[str, int] = {}

    def load(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Read what is remembered."""
        cursor.execute(_CREATE)
        self._months = dict(cursor.execute(_LOAD).fetchall())

    def names(self) -> set[str]:
        """Return the names of their files."""
        return set(self._months)

    def all(self) -> Sequence[Loss]:
        """Return what was lost."""
        return [
            Loss(f"{name}{DAMAGED}", Span(month_start_us(month), month_start_us(month + 1)))
            for name, month in self._months.items()
        ]

    def add(self, cursor: duckdb.DuckDBPyConnection, name: str, month: int) -> None:
        """Remember a file that is about to be set aside, durably."""
        if name not in self._months:
            cursor.execute("INSERT INTO lost VALUES ($1, $2)", [name, month])
            self._months = {**self._months, name: month}

    def found(self, cursor: duckdb.DuckDBPyConnection, name: str) -> None:
        """Forget a file: it is whole."""
        cursor.execute("DELETE FROM lost WHERE name = $1", [name])
        self._months = {other: month for other, month in self._months.items() if other != name}

    def forget(self, cursor: duckdb.DuckDBPyConnection, loss: Loss) -> None:
        """Forget a loss."""
        self.found(cursor, loss.kept_as.removesuffix(DAMAGED))

"""A DuckDB whose statements fail, one or now and then, as DuckDB itself fails: before they are done, or after.

In:   which of the statements that pass fail, and with what.
Out:  the same instance as without; a transaction that was failed is rolled back by whoever closes its cursor.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from energy_server.store.duckdb import instance
from energy_server.store.duckdb.connection import connect

NO_MEMORY = "Out of Memory Error: could not allocate block of size 256.0 KiB"


class Failing:
    """`at` says of each statement that passes, counted from 1, whether it fails."""

    def __init__(self, at: Callable[[int], bool] = lambda _: False, *, afterwards: bool = False) -> None:
        self.at = at
        self.afterwards = afterwards
        """Whether a statement fails after it was done."""
        self.error: Callable[[str], duckdb.Error] = duckdb.OutOfMemoryException
        self.passed = 0
        self.failed: list[str] = []

    def pass_(self, what: str, do: Callable[[], Any], *, commits: bool = False) -> Any:
        """Do it, or fail."""
        self.passed += 1
        if not self.at(self.passed):
            return do()
        self.failed.append(what)
        if self.afterwards:
            do()
        if commits:  # whatever it was, DuckDB says this of it
            raise duckdb.TransactionException(f"TransactionContext Error: Failed to commit: {NO_MEMORY}")
        raise self.error(NO_MEMORY)

    def execute(self, cursor: duckdb.DuckDBPyConnection, statement: str, parameters: object, *, alone: bool) -> None:
        """Execute a statement or fail; `alone` tells that it is in no transaction."""
        reads = statement.lstrip().startswith(("SELECT", "BEGIN"))
        commits = statement == "COMMIT" or (alone and self.afterwards and not reads)
        self.pass_(statement, lambda: cursor.execute(statement, parameters), commits=commits)

    @contextmanager
    def only(self, at: int, *, afterwards: bool) -> Iterator[None]:
        """Let one of the following statements fail, and no other."""
        self.passed, self.failed, self.afterwards, self.at = 0, [], afterwards, lambda passed: passed == at
        try:
            yield
        finally:
            self.at = lambda _: False


class Starving(Failing):
    """Nothing is made to fail: DuckDB has too little memory for some of its commits."""

    def __init__(self, random: Random, share: float) -> None:
        super().__init__(lambda _: random.random() < share)
        self._random = random

    def execute(self, cursor: duckdb.DuckDBPyConnection, statement: str, parameters: object, *, alone: bool) -> None:
        """Execute a statement, perhaps with little memory."""
        del alone
        self.passed += 1
        little = statement == "COMMIT" and self.at(self.passed)
        with closing(cursor.cursor()) as beside:
            if little:
                usual = beside.execute("SELECT current_setting('memory_limit')").fetchall()[0][0]
                with suppress(duckdb.OutOfMemoryException):  # it needs more than that already
                    beside.execute(f"SET memory_limit = '{self._random.randrange(400, 1_500)} KiB'")
            try:
                cursor.execute(statement, parameters)
            except duckdb.Error as err:
                self.failed.append(str(err))
                raise
            finally:
                if little:
                    beside.execute(f"SET memory_limit = '{usual}'")


class FailingCursor:
    """What the store uses of a cursor."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, failing: Failing) -> None:
        self._cursor = cursor
        self._failing = failing
        self._in_transaction = False

    def execute(self, statement: str, parameters: object = None) -> duckdb.DuckDBPyConnection:
        self._failing.execute(self._cursor, statement, parameters, alone=not self._in_transaction)
        self._in_transaction = statement == "BEGIN" or (self._in_transaction and statement != "COMMIT")
        return self._cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class FailingConnection:
    """What the store uses of a connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, failing: Failing) -> None:
        self._connection = connection
        self._failing = failing

    def cursor(self) -> FailingCursor:
        return FailingCursor(self._connection.cursor(), self._failing)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextmanager
def failing_duckdb(failing: Failing) -> Iterator[None]:
    """Let all stores that are opened in here fail so; what they do to names and folders passes too."""

    def connecting(folder: Path, memory_limit_mb: int) -> FailingConnection:
        return FailingConnection(connect(folder, memory_limit_mb), failing)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(instance, "connect", connecting)
        yield

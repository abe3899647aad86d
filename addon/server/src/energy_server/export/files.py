"""Files of an export: CSV or Parquet, written slice by slice; one that was not finished ends in `.part`.

In:   tables of equal columns.
Out:  a file of them. Raises OSError, or duckdb.Error where Parquet cannot be written.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import duckdb

from energy_server.jobs.export import Table, head_of, lines_of

MEMORY_LIMIT = "256MB"


class Sink(Protocol):
    """What takes the tables of a file."""

    def write(self, table: Table) -> None:
        """Add the rows."""


type Opener = Callable[[Path, tuple[str, ...]], AbstractContextManager[Sink]]
"""Opens a file of that path, without its ending, for tables of these columns."""


class _Csv:
    def __init__(self, file: Path, columns: tuple[str, ...]) -> None:
        self._file = file.open("wb")
        self._file.write(head_of(columns))

    def write(self, table: Table) -> None:
        self._file.writelines(lines_of(table))

    def close(self) -> None:
        self._file.close()


@contextmanager
def csv_file(path: Path, columns: tuple[str, ...]) -> Iterator[Sink]:
    """Write a CSV file."""
    part = path.with_name(f"{path.name}.csv.part")
    sink = _Csv(part, columns)
    try:
        yield sink
    finally:
        sink.close()
    part.rename(path.with_name(f"{path.name}.csv"))


class _Parquet:
    """Collects rows in a scratch file, since Parquet is written in one go."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.rows = 0

    def write(self, table: Table) -> None:
        self._connection.register("slice", dict(table.columns))
        names = ", ".join(table.columns)
        constants = ", ".join(f"${number + 1} AS {name}" for number, name in enumerate(table.common))
        query = f"SELECT {constants}, {names} FROM slice"  # noqa: S608 - names of the export's own
        how = "INSERT INTO rows" if self.rows else "CREATE OR REPLACE TABLE rows AS"
        self._connection.execute(f"{how} {query}", list(table.common.values()))
        self._connection.unregister("slice")
        self.rows += len(table)


@contextmanager
def parquet_files(scratch: Path) -> Iterator[Opener]:
    """Yield what writes Parquet files, with a scratch file that is deleted at the end."""
    connection = duckdb.connect(str(scratch), config={"memory_limit": MEMORY_LIMIT, "threads": 2})

    @contextmanager
    def parquet_file(path: Path, _columns: tuple[str, ...]) -> Iterator[Sink]:
        sink = _Parquet(connection)
        yield sink
        if sink.rows:
            part = path.with_name(f"{path.name}.parquet.part")
            quoted = str(part).replace("'", "''")
            connection.execute(f"COPY rows TO '{quoted}' (FORMAT parquet, COMPRESSION zstd)")
            part.rename(path.with_name(f"{path.name}.parquet"))

    try:
        yield parquet_file
    finally:
        connection.close()
        scratch.unlink()

"""The DuckDB instance: its limits, and which of its failures mean that the store cannot be used now.

In:   the folder of the store.
Out:  an open instance; `cursor()` gives each thread its own view of it.
Failures: StoreUnavailableError, with what to do, when another process has the files, space or rights are lacking, or
the instance was closed under a running operation. Other errors of DuckDB are defects and pass through.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
from numpy.typing import NDArray

from energy_server.errors import StoreUnavailableError

THREADS = 2
CHECKPOINT_BYTES = "4MB"
"""A larger write-ahead log makes automatic checkpoints stall commits for longer."""

_NOT_NOW = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.OutOfMemoryException,
    duckdb.ConnectionException,
    OSError,
)
_DAMAGE = ("Corrupt database file", "not a valid DuckDB database file", "Could not read enough bytes from file")
"""What DuckDB says of a file that is not as it was written; some of it as a plain `duckdb.Error`."""
_COMMIT_FAILED = "Failed to commit"
"""How a TransactionException begins after which DuckDB may hold in memory what its files do not: what was committed
next was lost with it. Opened anew it is whole. The others are defects.
"""


class DoubtfulError(duckdb.Error):
    """Something failed that may be done on the disk and not in memory: what is open has to be given up."""


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Raise what DuckDB or the file system refuses for now as StoreUnavailableError."""
    try:
        yield
    except _NOT_NOW as err:
        raise StoreUnavailableError(_advice(err, folder)) from err
    except duckdb.Error as err:
        failed_commit = isinstance(err, duckdb.TransactionException) and _COMMIT_FAILED in str(err)
        if not failed_commit and not is_damage(err) and not isinstance(err, DoubtfulError):
            raise
        raise StoreUnavailableError(_advice(err, folder)) from err


@contextmanager
def decisive() -> Iterator[None]:
    """Raise every failure as one after which what is open is given up: opening anew tells what was done."""
    try:
        yield
    except duckdb.Error as err:
        raise DoubtfulError(str(err)) from err


def commit(cursor: duckdb.DuckDBPyConnection) -> None:
    """Commit the cursor's transaction."""
    with decisive():
        cursor.execute("COMMIT")


def is_damage(err: BaseException | None) -> bool:
    """Say whether a file was found damaged."""
    return isinstance(err, duckdb.Error) and any(sign in str(err) for sign in _DAMAGE)


def _advice(err: Exception, folder: Path) -> str:
    text = str(err).partition("\n")[0]
    lowered = str(err).lower()
    if is_damage(err):
        return f"A file of the store in {folder} is damaged. Restore it from a backup. ({text})"
    if "set lock on file" in lowered:
        return f"Another process uses the store in {folder}. Stop it; this server goes on by itself. ({text})"
    if isinstance(err, PermissionError) or "permission denied" in lowered or "read-only file system" in lowered:
        return f"The server may not write to {folder}. Give its user the right to. ({text})"
    if "no space left" in lowered or "disk full" in lowered:
        return f"No space is left for the store in {folder}. Free some; the server goes on by itself. ({text})"
    if "out of memory" in lowered or "memory limit" in lowered:
        return f"The store's memory limit is too small for this. Raise memory_limit_mb. ({text})"
    return f"The store in {folder} cannot be used: {text}"


def connect(folder: Path, memory_limit_mb: int) -> duckdb.DuckDBPyConnection:
    """Open the instance on `series.duckdb`, the file that also keeps other processes out."""
    folder.mkdir(parents=True, exist_ok=True)
    return duckdb.connect(
        str(folder / "series.duckdb"),
        config={
            "memory_limit": f"{memory_limit_mb}MB",
            "threads": THREADS,
            "checkpoint_threshold": CHECKPOINT_BYTES,
            "temp_directory": str(folder / "temporary"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )


def release(connection: duckdb.DuckDBPyConnection, memory_limit_mb: int) -> None:
    """Give back the memory of the buffers: a lower limit for a moment is the one way to make DuckDB let go of them."""
    with suppress(duckdb.OutOfMemoryException):  # some are in use: then they stay
        connection.execute("SET memory_limit = '1MB'")
    connection.execute(f"SET memory_limit = '{memory_limit_mb}MB'")


def attach(cursor: duckdb.DuckDBPyConnection, file: Path, alias: str) -> None:
    """Attach a file, creating it; blocks below 64 kB would switch off DuckDB's bit packing."""
    quoted = str(file).replace("'", "''")
    cursor.execute(f"ATTACH '{quoted}' AS {alias} (BLOCK_SIZE 131072)")


def fetched(cursor: duckdb.DuckDBPyConnection, query: str) -> dict[str, NDArray[Any]]:
    """Return a large result: a relation is fetched whole, which is several times faster than the stream of a cursor."""
    return cursor.sql(query).fetchnumpy()


def sync_folder(folder: Path) -> None:
    """Make names that were created or changed in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

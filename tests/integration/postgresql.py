"""A real PostgreSQL server for a session of tests, in a folder of its own, reached by a socket in that folder.

In:   the programs of PostgreSQL, on PATH or where Debian has them.
Out:  a database URL for each test, of a database that is its own.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg2  # type: ignore[import-untyped] # it ships no types

DEBIAN = Path("/usr/lib/postgresql")
UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root."""
NUMBERS = count(1)


class NoPostgresqlError(RuntimeError):
    """There is no PostgreSQL on this machine."""


def program(name: str) -> str:
    """Return where a program of PostgreSQL is."""
    found = shutil.which(name) or max((str(path) for path in DEBIAN.glob(f"*/bin/{name}")), default=None)
    if found is None:
        raise NoPostgresqlError(f"{name} is missing. script/bootstrap --tests installs PostgreSQL, or says how to.")
    return found


def run(*command: str) -> None:
    """Run a program to its end, never as root."""
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    subprocess.run(command, check=True, capture_output=True, user=user, cwd="/", timeout=60)  # noqa: S603 its own


@contextmanager
def postgresql() -> Iterator[Path]:
    """Run a server; yields the folder of its socket."""
    with tempfile.TemporaryDirectory(prefix="energy-pg-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam(UNPRIVILEGED).pw_uid, -1)
        data, log = str(folder / "data"), str(folder / "log")
        run(program("initdb"), "-D", data, "-U", "tests", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c full_page_writes=off"
        run(program("pg_ctl"), "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            yield folder
        finally:
            run(program("pg_ctl"), "-D", data, "-m", "immediate", "stop")


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """Create a database; yields its URL."""
    name = f"test_{next(NUMBERS)}"
    connection = psycopg2.connect(host=str(folder), user="tests", dbname="postgres")
    connection.autocommit = True
    try:
        connection.cursor().execute(f"CREATE DATABASE {name}")
        yield f"postgresql://tests@/{name}?host={folder}"
        connection.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        connection.close()

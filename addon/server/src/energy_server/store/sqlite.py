"""The StateStore on SQLite: one file, one thread, every commit on the disk before it returns.

In:   calls of the port, from the event loop.
Out:  their results.
Failures: StoreUnavailableError when the file is locked by another process, cannot be written, or the disk is full; the
next call tries again. A file of a newer release is refused the same way.
"""

import asyncio
import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from energy_server.errors import StoreUnavailableError
from energy_server.model.coverage import CoverageSource, Span
from energy_server.model.entity import Entity, Kind, Role, RoleAssignment, StateClass
from energy_server.model.site import Site
from energy_server.store.port import CoverageRow, StateInfo, SyncEntry, document_text

BUSY_TIMEOUT_S = 2.0
SYNC_LOG_LINES = 1_000
TABLES = ("sites", "entities", "coverage", "dirty", "documents", "sync_log")

MIGRATIONS = (
    """
    CREATE TABLE sites (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, time_zone TEXT NOT NULL, currency TEXT, country TEXT,
        ha_version TEXT NOT NULL, integration_version TEXT NOT NULL
    ) STRICT;
    CREATE TABLE entities (
        site TEXT NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL, entity_id TEXT NOT NULL, name TEXT NOT NULL,
        area TEXT, device TEXT, kind TEXT NOT NULL, unit TEXT NOT NULL, state_class TEXT, source TEXT NOT NULL,
        since_us INTEGER NOT NULL, until_us INTEGER, roles TEXT NOT NULL,
        PRIMARY KEY (site, key)
    ) STRICT;
    CREATE TABLE coverage (
        site TEXT NOT NULL, key TEXT, source TEXT NOT NULL, since_us INTEGER NOT NULL, until_us INTEGER NOT NULL,
        reason TEXT, store_id TEXT NOT NULL
    ) STRICT;
    CREATE INDEX coverage_place ON coverage (site, since_us);
    CREATE TABLE dirty (
        site TEXT NOT NULL, key TEXT NOT NULL, hour_us INTEGER NOT NULL, PRIMARY KEY (site, key, hour_us)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE documents (name TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
    CREATE TABLE sync_log (
        id INTEGER PRIMARY KEY, ts_us INTEGER NOT NULL, site TEXT NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL
    ) STRICT;
    """,
    """
    ALTER TABLE sync_log ADD COLUMN since_us INTEGER;
    ALTER TABLE sync_log ADD COLUMN until_us INTEGER;
    ALTER TABLE sync_log ADD COLUMN rows INTEGER;
    ALTER TABLE sync_log ADD COLUMN source TEXT;
    ALTER TABLE sync_log ADD COLUMN result TEXT NOT NULL DEFAULT 'done';
    """,
    """
    DELETE FROM coverage WHERE rowid NOT IN (
        SELECT min(rowid) FROM coverage GROUP BY store_id, site, key, source, since_us, until_us, reason
    );
    DROP INDEX coverage_place;
    CREATE UNIQUE INDEX coverage_row ON coverage (
        site, since_us, until_us, source, key IS NULL, coalesce(key, ''), reason IS NULL, coalesce(reason, ''), store_id
    );
    """,
)
"""The schema's history: `user_version` of a file says how many of these it has."""

_DAMAGED = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
_SAVE_ENTITY = """
INSERT OR REPLACE INTO entities (site, key, position, entity_id, name, area, device, kind, unit, state_class, source,
    since_us, until_us, roles)
VALUES (:site, :key, :position, :entity_id, :name, :area, :device, :kind, :unit, :state_class, :source, :since_us,
    :until_us, :roles)
"""
_REMOVE_COVERAGE = """
DELETE FROM coverage WHERE site = :site AND key IS :key AND source = :source AND since_us = :since_us
    AND until_us = :until_us AND reason IS :reason
"""
_ADD_COVERAGE = """
INSERT OR IGNORE INTO coverage (site, key, source, since_us, until_us, reason, store_id)
VALUES (:site, :key, :source, :since_us, :until_us, :reason, :store_id)
"""


type Row = dict[str, Any]
type Values = Sequence[Any] | Mapping[str, Any]


class SqliteStateStore:
    """Sites, Entities, Coverage, dirty marks, documents and the sync log. See `store.port.StateStore`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "state")
        self._wanted = False
        self._database: sqlite3.Connection | None = None
        self._last_write_us: int | None = None

    async def open(self) -> None:
        """Open or create the file and bring its schema up to date."""
        self._wanted = True
        await self._in_thread(self._open)

    async def close(self) -> None:
        """Let go of the file."""
        self._wanted = False
        await self._in_thread(self._close)

    async def save_site(self, site: Site) -> None:
        """Insert or replace a Site."""
        await self._execute(
            "INSERT OR REPLACE INTO sites VALUES (:id, :name, :time_zone, :currency, :country, :ha_version,"
            " :integration_version)",
            [asdict(site)],
        )

    async def sites(self) -> list[Site]:
        """Return all Sites."""
        return [Site(**row) for row in await self._select("SELECT * FROM sites ORDER BY id")]

    async def save_catalog(self, site: str, entities: Sequence[Entity], now_us: int) -> None:
        """Make these the Entities of the Site."""
        await self._in_thread(self._save_catalog, site, entities, now_us)

    async def entities(self, site: str) -> list[Entity]:
        """Return the Entities of a Site, those that left included, in the catalog's order."""
        rows = await self._select("SELECT * FROM entities WHERE site = ? ORDER BY until_us IS NOT NULL, position", site)
        return [_entity(row) for row in rows]

    async def left_by(self, site: str, instant_us: int) -> None:
        """Let the Entities that left later have left at this instant."""
        left = (instant_us, site, instant_us)
        await self._execute("UPDATE entities SET until_us = ? WHERE site = ? AND until_us > ?", [left])

    async def save_coverage(self, store_id: str, rows: Sequence[CoverageRow], removed: Sequence[CoverageRow]) -> None:
        """Remove, then add rows of Coverage."""
        await self._in_thread(self._save_coverage, store_id, rows, removed)

    async def coverage(self, store_id: str) -> list[CoverageRow]:
        """Return the Coverage that refers to this SeriesStore, and delete any other."""
        await self._execute("DELETE FROM coverage WHERE store_id <> ?", [(store_id,)])
        return [
            CoverageRow(
                row["site"],
                row["key"],
                CoverageSource(row["source"]),
                Span(row["since_us"], row["until_us"]),
                row["reason"],
            )
            for row in await self._select("SELECT * FROM coverage ORDER BY site, since_us")
        ]

    async def mark_dirty(self, marks: Sequence[tuple[str, str, int]]) -> None:
        """Remember hours that are to be rolled up anew."""
        await self._execute("INSERT OR IGNORE INTO dirty (site, key, hour_us) VALUES (?, ?, ?)", marks)

    async def dirty(self) -> list[tuple[str, str, int]]:
        """Return the marks."""
        rows = await self._select("SELECT site, key, hour_us FROM dirty ORDER BY site, key, hour_us")
        return [(row["site"], row["key"], row["hour_us"]) for row in rows]

    async def clear_dirty(self, marks: Sequence[tuple[str, str, int]]) -> None:
        """Forget marks."""
        await self._execute("DELETE FROM dirty WHERE site = ? AND key = ? AND hour_us = ?", marks)

    async def put_document(self, name: str, document: Mapping[str, object]) -> None:
        """Insert or replace a named document."""
        text = document_text(document)
        await self._execute("INSERT OR REPLACE INTO documents (name, document) VALUES (?, ?)", [(name, text)])

    async def document(self, name: str) -> dict[str, object] | None:
        """Return a named document."""
        for row in await self._select("SELECT document FROM documents WHERE name = ?", name):
            document: dict[str, object] = json.loads(row["document"])
            return document
        return None

    async def log(self, entry: SyncEntry) -> None:
        """Add a line to the sync log, dropping what is too old to keep."""
        await self._in_thread(self._log, entry)

    async def sync_log(self, limit: int) -> list[SyncEntry]:
        """Return the newest lines, newest first."""
        rows = await self._select(
            "SELECT ts_us, site, what, detail, since_us, until_us, rows, source, result FROM sync_log"
            " ORDER BY id DESC LIMIT ?",
            limit,
        )
        return [SyncEntry(**row) for row in rows]

    async def info(self) -> StateInfo:
        """Return how the store is."""
        return await self._in_thread(self._info)

    async def _in_thread[*P, R](self, work: Callable[[*P], R], *args: *P) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    async def _select(self, statement: str, *values: object) -> list[Row]:
        return await self._in_thread(self._select_now, statement, values)

    async def _execute(self, statement: str, rows: Sequence[Values]) -> None:
        if rows:
            await self._in_thread(self._execute_now, statement, rows)

    # What follows runs in the thread.

    def _open(self) -> sqlite3.Connection:
        if not self._wanted:
            raise StoreUnavailableError("The state is closed.")
        if self._database is None:
            with _translated(self._path):
                self._database = _opened(self._path)
        return self._database

    def _close(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        database = self._open()
        try:
            with _translated(self._path), database:
                database.execute("BEGIN IMMEDIATE")
                yield database
            self._last_write_us = time.time_ns() // 1_000
        except StoreUnavailableError:
            self._close()
            raise

    def _select_now(self, statement: str, values: Sequence[object]) -> list[Row]:
        with _translated(self._path):
            return self._open().execute(statement, values).fetchall()

    def _execute_now(self, statement: str, rows: Sequence[Values]) -> None:
        with self._transaction() as database:
            database.executemany(statement, rows)

    def _save_catalog(self, site: str, entities: Sequence[Entity], now_us: int) -> None:
        named = {entity.key for entity in entities}
        with self._transaction() as database:
            known = database.execute("SELECT key FROM entities WHERE site = ? AND until_us IS NULL", [site]).fetchall()
            left = [(now_us, site, row["key"]) for row in known if row["key"] not in named]
            database.executemany("UPDATE entities SET until_us = ? WHERE site = ? AND key = ?", left)
            database.executemany(_SAVE_ENTITY, [_entity_row(site, entity, at) for at, entity in enumerate(entities)])

    def _save_coverage(self, store_id: str, rows: Sequence[CoverageRow], removed: Sequence[CoverageRow]) -> None:
        with self._transaction() as database:
            database.executemany(_REMOVE_COVERAGE, [_coverage_row(row, store_id) for row in removed])
            database.executemany(_ADD_COVERAGE, [_coverage_row(row, store_id) for row in rows])

    def _info(self) -> StateInfo:
        rows, trouble = 0, None
        try:
            with _translated(self._path):
                database = self._open()
                rows = sum(database.execute(f"SELECT count(*) AS n FROM {table}").fetchone()["n"] for table in TABLES)  # noqa: S608 ours
        except StoreUnavailableError as err:
            trouble = err.message
        files = [file for file in self._path.parent.glob(f"{self._path.name}*") if file.is_file()]
        return StateInfo(
            backend="sqlite",
            version=sqlite3.sqlite_version,
            well=trouble is None,
            detail=trouble,
            rows=rows,
            size_bytes=sum(file.stat().st_size for file in files),
            free_bytes=shutil.disk_usage(self._path.parent).free if self._path.parent.exists() else None,
            last_write_us=self._last_write_us,
        )

    def _log(self, entry: SyncEntry) -> None:
        with self._transaction() as database:
            database.execute(
                "INSERT INTO sync_log (ts_us, site, what, detail, since_us, until_us, rows, source, result)"
                " VALUES (:ts_us, :site, :what, :detail, :since_us, :until_us, :rows, :source, :result)",
                asdict(entry),
            )
            database.execute("DELETE FROM sync_log WHERE id <= (SELECT max(id) FROM sync_log) - ?", [SYNC_LOG_LINES])


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.OperationalError, OSError) as err:
        raise StoreUnavailableError(_advice(err, path)) from err
    except sqlite3.DatabaseError as err:
        if err.sqlite_errorname not in _DAMAGED:
            raise
        raise StoreUnavailableError(f"{path} is damaged or no database. Restore it from a backup. ({err})") from err


def _advice(err: Exception, path: Path) -> str:
    match getattr(err, "sqlite_errorname", None):
        case "SQLITE_BUSY" | "SQLITE_LOCKED":
            return f"Another process uses {path}. Stop it; this server goes on by itself. ({err})"
        case "SQLITE_FULL":
            return f"No space is left for {path}. Free some; the server goes on by itself. ({err})"
        case "SQLITE_READONLY" | "SQLITE_CANTOPEN":
            return f"The server may not write {path}. Give its user the right to. ({err})"
    return f"{path} cannot be used: {err}"


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        database.row_factory = _row
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        _migrate(database, path)
    except sqlite3.Error, StoreUnavailableError:
        database.close()
        raise
    return database


def _migrate(database: sqlite3.Connection, path: Path) -> None:
    version = database.execute("PRAGMA user_version").fetchone()["user_version"]
    if version > len(MIGRATIONS):
        raise StoreUnavailableError(f"{path} was written by a newer release. Install that release again.")
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        database.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")


def _row(cursor: sqlite3.Cursor, values: tuple[object, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


def _coverage_row(row: CoverageRow, store_id: str) -> dict[str, object]:
    return {
        "site": row.site,
        "key": row.key,
        "source": row.source.value,
        "since_us": row.span.since_us,
        "until_us": row.span.until_us,
        "reason": row.reason,
        "store_id": store_id,
    }


def _entity_row(site: str, entity: Entity, position: int) -> dict[str, object]:
    row = asdict(entity)
    return row | {"site": site, "position": position, "until_us": None, "roles": json.dumps(row["roles"])}


def _entity(row: Row) -> Entity:
    fields = {name: value for name, value in row.items() if name != "position"}
    roles = tuple(RoleAssignment(**(role | {"role": Role(role["role"])})) for role in json.loads(row["roles"]))
    state_class = None if row["state_class"] is None else StateClass(row["state_class"])
    return Entity(**(fields | {"kind": Kind(row["kind"]), "state_class": state_class, "roles": roles}))

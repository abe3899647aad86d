"""The tables: made at the first start, brought to the newest version, compared with what they should be.

In:   a way to run SQL, and one to write rows.
Out:  the store's id. The version is a row of the smallest table, `energy_store`.
Failures: StoreUnavailableError, also when a table is not as it should be, or is of a later release.

Tables that are no time series have rows of the instant 0, since QuestDB's tables all need one. Tables are only ever
grown: a column that somebody added is left alone, any other difference is reported, not mended.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from energy_server.errors import StoreUnavailableError
from energy_server.model.statistic import VALUE_COLUMNS
from energy_server.store.questdb.rows import NewRow

READINGS = "energy_readings"
STATISTICS = "energy_statistics"
SERIES = "energy_series"
STORE = "energy_store"

VERSION = 1

type Fetch = Callable[..., Awaitable[list[asyncpg.Record]]]
type Save = Callable[[Callable[[], Sequence[NewRow]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Table:
    """What a table must be: its columns by name with their types, and what makes a row unique besides `ts`."""

    columns: Mapping[str, str]
    unique: Sequence[str]
    partition: str
    indexed: Sequence[str] = ()
    since: int = 1
    """The version that brought it."""

    def creation(self, name: str) -> str:
        """Return the statement that makes it."""
        columns = ", ".join(
            f"{column} {kind}{' INDEX' if column in self.indexed else ''}" for column, kind in self.columns.items()
        )
        return (
            f"CREATE TABLE IF NOT EXISTS {name} ({columns}) TIMESTAMP(ts) PARTITION BY {self.partition} WAL "
            f"DEDUP UPSERT KEYS({', '.join(('ts', *self.unique))})"
        )


_SITE_AND_KEY = {"site": "SYMBOL", "key": "SYMBOL"}
_FLOATS = dict.fromkeys(VALUE_COLUMNS, "DOUBLE")
TABLES: Mapping[str, Table] = {
    READINGS: Table(
        {**_SITE_AND_KEY, "ts": "TIMESTAMP", "value": "DOUBLE", "reset": "LONG", "origin": "BYTE"},
        ("site", "key"),
        "DAY",
        indexed=("key",),
    ),
    STATISTICS: Table(
        {**_SITE_AND_KEY, "level": "BYTE", "source": "BYTE", "ts": "TIMESTAMP", **_FLOATS, "provenance": "BYTE"},
        ("site", "key", "level", "source"),
        "MONTH",
        indexed=("key",),
    ),
    SERIES: Table({**_SITE_AND_KEY, "ts": "TIMESTAMP"}, ("site", "key"), "YEAR"),
    STORE: Table({"ts": "TIMESTAMP", "id": "VARCHAR", "version": "INT"}, (), "YEAR"),
}

MIGRATIONS: Sequence[Sequence[tuple[str, str]]] = ()
"""The columns, as (table, column), that version 2 added, that version 3 added, …; a table has its own `since`."""


async def prepare(fetch: Fetch, save: Save) -> str:
    """Make or migrate the tables, see that they are as they should be, and return the store's id.

    A store that lost one of its tables is another store: what is known of its contents is no longer true.
    """
    known = {row["name"] for row in await fetch("SELECT name FROM wal_tables()")}.union(await ids(fetch))
    found = await _stored(fetch) if STORE in known else None
    if found is None:
        store_id, version = _new_id(), VERSION
    else:
        store_id, version = found
        if version > VERSION:
            raise StoreUnavailableError(
                f"QuestDB's tables are of a later release (version {version}, this one knows {VERSION}): update the"
                " server"
            )
        had = {name for name, table in TABLES.items() if table.since <= version}
        if not had.issubset(known):
            store_id = await void(fetch)  # before they are made: a kill between must not leave the id that it had
    await _bring_about(fetch, version)
    await check(fetch)
    row: NewRow = (STORE, {}, {"id": store_id, "version": VERSION}, 0)
    await save(lambda: [row])  # shows also that we may write
    await fetch(f"SELECT wait_wal_table('{STORE}')")
    return store_id


async def _bring_about(fetch: Fetch, version: int) -> None:
    """Make what is missing of the version, then what each later one added; what a kill left half done is completed."""
    await _make(fetch, range(1, version + 1))
    for step, columns in enumerate(MIGRATIONS[version - 1 :], version + 1):
        await _make(fetch, [step])
        for table, column in columns:
            await _add(fetch, table, column)


async def _add(fetch: Fetch, table: str, column: str) -> None:
    if column in {row["column"] for row in await fetch(f"SHOW COLUMNS FROM {table}")}:
        return  # QuestDB refuses IF NOT EXISTS where there is nothing to do
    await fetch(f"ALTER TABLE {table} ADD COLUMN {column} {TABLES[table].columns[column]}")
    await fetch(f"SELECT wait_wal_table('{table}')")  # it shows a moment later, as rows do


async def _make(fetch: Fetch, versions: Sequence[int]) -> None:
    for name, table in TABLES.items():
        if table.since in versions:
            await fetch(table.creation(name))


async def is_emptied(fetch: Fetch) -> bool:
    """Say whether there are series, but no reading of any: each is listed together with its first reading.

    Only when all that was written shows.
    """
    if not await fetch(f"SELECT key FROM {SERIES} LIMIT 1"):  # noqa: S608 a table's name
        return False
    return not await fetch(f"SELECT key FROM {READINGS} LIMIT 1")  # noqa: S608 a table's name


async def ids(fetch: Fetch) -> dict[str, int]:
    """Return what tells each table from one that is made under its name later."""
    found = await fetch("SELECT id, table_name FROM tables()")
    return {row["table_name"]: row["id"] for row in found if row["table_name"] in TABLES}


async def void(fetch: Fetch) -> str:
    """Give the store another id, since it no longer has what is known of its contents; return it."""
    store_id = _new_id()
    await fetch(f"UPDATE {STORE} SET id = $1", store_id)  # noqa: S608 a table's name
    await fetch(f"SELECT wait_wal_table('{STORE}')")
    return store_id


def _new_id() -> str:
    return secrets.token_hex(16)


async def check(fetch: Fetch) -> None:
    """Raise StoreUnavailableError when a table is not as it should be."""
    found = {
        row["table_name"]: row
        for row in await fetch(
            "SELECT table_name, designatedTimestamp, partitionBy, walEnabled, dedup, ttlValue FROM tables()"
        )
    }
    for name, table in TABLES.items():
        if name not in found:
            raise StoreUnavailableError(f"QuestDB's table {name} is gone: restart the server, which makes it anew.")
        wrong = _wrong(table, found[name]) or _wrong_column(table, await fetch(f"SHOW COLUMNS FROM {name}"))
        if wrong:
            raise StoreUnavailableError(
                f"Somebody altered QuestDB's table {name}: it {wrong}. Change it back, or rename it and restart the "
                "server, which then makes a new one."
            )


async def stored_id(fetch: Fetch) -> str | None:
    """Return the id of the store that is there now."""
    found = await _stored(fetch)
    return found[0] if found else None


def _wrong(table: Table, found: asyncpg.Record) -> str | None:
    if found["designatedTimestamp"] != "ts" or found["partitionBy"] != table.partition:
        return f"is not partitioned by {table.partition} of ts"
    if not found["walEnabled"] or not found["dedup"]:
        return "has lost its WAL or its DEDUP UPSERT KEYS, without which rows would be doubled"
    if found["ttlValue"]:
        return "has a TTL, which would drop readings"
    return None


def _wrong_column(table: Table, found: Sequence[asyncpg.Record]) -> str | None:
    columns = {row["column"]: row for row in found}
    for column, kind in table.columns.items():
        if column not in columns:
            return f"lacks the column {column}"
        if columns[column]["type"] != kind:
            return f"has the column {column} as {columns[column]['type']} and not as {kind}"
    unique = {column for column, row in columns.items() if row["upsertKey"]}
    if unique != {"ts", *table.unique}:
        return f"tells rows apart by {', '.join(sorted(unique))} and not by {', '.join(('ts', *table.unique))}"
    return None


async def _stored(fetch: Fetch) -> tuple[str, int] | None:
    rows = await fetch(f"SELECT id, version FROM {STORE} LIMIT 1")  # noqa: S608 a table's name
    return (str(rows[0]["id"]), int(rows[0]["version"])) if rows else None

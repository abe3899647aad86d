"""The schema of the database: indexes, and the number that says which of them there are.

In:   a connection.
Out:  the newest schema. Raises StoreUnavailableError for a database of a newer release, which is left alone.

Each migration may run again, since one that was interrupted does.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from energy_server.errors import StoreUnavailableError
from energy_server.store.mongodb.connection import Connection, Database


async def _first(database: Database) -> None:
    await database.entities.create_index("site")
    await database.coverage.create_index("store_id")


MIGRATIONS: tuple[Callable[[Database], Awaitable[None]], ...] = (_first,)
"""The schema's history: `version` says how many of these a database has."""


async def migrate(connection: Connection) -> None:
    """Bring the schema up to date."""
    found = await connection.read(lambda database: database.versions.find_one({"_id": "schema"}))
    version = 0 if found is None else int(found["version"])
    if version > len(MIGRATIONS):
        raise StoreUnavailableError("The database was written by a newer release. Install that release again.")
    for number, migration in enumerate(MIGRATIONS[version:], version + 1):
        await connection.write(migration)
        await connection.write(partial(_reach, version=number))


async def _reach(database: Database, version: int) -> None:
    await database.versions.update_one({"_id": "schema"}, {"$set": {"version": version}}, upsert=True)

"""The connection to MongoDB: the only module that knows motor, and its limits.

In:   a connection string; work on its database.
Out:  the work's result. What was written is on the disk of a majority when the work returns.
Failures: StoreUnavailableError, within ANSWER_WITHIN_MS where the server hangs, FIND_SERVER_WITHIN_MS without one.

Calls are the same in motor and in PyMongo's AsyncMongoClient, but for `close`, which the latter wants awaited.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pymongo
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pydantic import SecretStr
from pymongo import ReadPreference, WriteConcern
from pymongo.errors import AutoReconnect, BulkWriteError, OperationFailure, ServerSelectionTimeoutError

from energy_server.errors import StoreUnavailableError
from energy_server.store.mongodb.failures import (
    DUPLICATE,
    OLDEST,
    OLDEST_VERSION,
    UNAUTHORIZED,
    codes_of,
    of_a_url,
    translated,
)

DATABASE = "energy_dashboard"
"""Where the connection string names none."""
FIND_SERVER_WITHIN_MS = 3_000
ANSWER_WITHIN_MS = 10_000
GOODBYE_WITHIN_S = 1.0

type Document = dict[str, Any]
type Database = AsyncIOMotorDatabase[Document]
type Collection = AsyncIOMotorCollection[Document]


class Connection:
    """The database of a connection string. `last_write_us` is None before the first write."""

    def __init__(self, url: SecretStr) -> None:
        self._url = url
        self._client: AsyncIOMotorClient[Document] | None = None
        self._database: Database | None = None
        self.last_write_us: int | None = None
        self.version = ""

    async def open(self) -> None:
        """Connect, and see that the server is one that can be used. Raises StoreUnavailableError."""
        with of_a_url(), translated():
            self._client = AsyncIOMotorClient(self._url.get_secret_value())
            # In code and not in the connection string: what is acknowledged must be durable, and read where written.
            self._database = self._client.get_default_database(
                DATABASE, write_concern=WriteConcern("majority", j=True), read_preference=ReadPreference.PRIMARY
            )
        try:
            await self._look()
        except BaseException:  # whatever it was, and also when we are cancelled: no connection stays behind
            await self.close()
            raise

    async def _look(self) -> None:
        about = await self.read(lambda database: database.command("buildInfo"))
        self.version = str(about["version"])
        if tuple(about["versionArray"][:2]) < OLDEST_VERSION:
            raise StoreUnavailableError(f"MongoDB {self.version} is too old. Use {OLDEST} or newer.")

    async def close(self) -> None:
        """Let go of it."""
        client, self._client, self._database = self._client, None, None
        if client is not None:
            with pymongo.timeout(GOODBYE_WITHIN_S):
                await asyncio.to_thread(client.close)  # it waits for the server's answer, which may not come

    async def read[T](self, work: Callable[[Database], Awaitable[T]]) -> T:
        """Return the result of the work. Raises StoreUnavailableError."""
        database = self._opened()
        with translated(), self._limited():
            return await work(database)

    async def write[T](self, work: Callable[[Database], Awaitable[T]]) -> T:
        """Do the work, which may be done twice: once more at once where the server was restarted or gave way."""
        database = self._opened()
        with translated(), self._limited():
            try:
                done = await work(database)
            except AutoReconnect as err:
                if isinstance(err, ServerSelectionTimeoutError) or err.timeout:
                    raise
                await asyncio.sleep(0)
                done = await work(database)
        self.last_write_us = time.time_ns() // 1_000
        return done

    async def lag_s(self) -> float | None:
        """Return how far the slowest member of a replica set is behind; None without one, or where we may not ask."""
        hello = await self.read(lambda database: database.command("hello"))
        if len(hello.get("hosts", ())) <= 1 or self._client is None:
            return None
        with translated(), self._limited():
            try:
                status = await self._client.admin.command("replSetGetStatus")
            except OperationFailure as err:
                if err.code == UNAUTHORIZED:
                    return None
                raise
        members = [member for member in status["members"] if member.get("stateStr") in ("PRIMARY", "SECONDARY")]
        written = [member["optimeDate"] for member in members]
        return (max(written) - min(written)).total_seconds() if written else None

    def _opened(self) -> Database:
        if self._database is None:
            raise StoreUnavailableError("The state is closed.")
        return self._database

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Bound the time of what is done, the driver's waiting for a server and its tries again included."""
        client = self._client
        found = client is not None and client.topology_description.has_known_servers  # type: ignore[attr-defined]  # no method
        with pymongo.timeout((ANSWER_WITHIN_MS if found else FIND_SERVER_WITHIN_MS) / 1_000):
            yield


async def insert_missing(collection: Collection, documents: Sequence[Document]) -> None:
    """Insert the documents whose ids are not there yet."""
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as err:
        if codes_of(err) != {DUPLICATE, err.code}:
            raise

"""The connection to MongoDB: the only module that knows motor, its limits, and what its failures mean.

In:   a connection string; work on its database.
Out:  the work's result. What was written is on the disk of a majority when the work returns.
Failures: StoreUnavailableError, within ANSWER_WITHIN_MS even where the server hangs; the message says what to do and
never holds the connection string, since that may hold a password.

Calls are the same in motor and in PyMongo's AsyncMongoClient, but for `close`, which the latter wants awaited.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pydantic import SecretStr
from pymongo import ReadPreference, WriteConcern
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    InvalidName,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from energy_server.errors import StoreUnavailableError

DATABASE = "energy_dashboard"
"""Where the connection string names none."""
OLDEST_VERSION = (4, 4)
FIND_SERVER_WITHIN_MS = 3_000
ANSWER_WITHIN_MS = 10_000

type Document = dict[str, Any]
type Database = AsyncIOMotorDatabase[Document]
type Collection = AsyncIOMotorCollection[Document]

_NO_URL = (
    "mongodb_url is not acceptable. It looks like mongodb://user:password@host:27017/database, with signs in user and"
    " password percent-encoded."
)
_LATE = "MongoDB did not answer in time. The server goes on by itself once it does."
_NO_PRIMARY = "MongoDB has no primary at the moment. The server goes on by itself once it has one."
_NO_RIGHT = "MongoDB wants a login, or the user of mongodb_url may not read and write the database."
_NO_SPACE = "No space is left for MongoDB. Free some; the server goes on by itself."
_UNAUTHORIZED = 13
_ADVICE = {
    18: "MongoDB refuses user or password. Check mongodb_url, and its authSource.",
    _UNAUTHORIZED: _NO_RIGHT,
    8_000: _NO_RIGHT,
    73: "mongodb_url names no acceptable database. Use letters and digits.",
    14_031: _NO_SPACE,
    **dict.fromkeys((91, 189, 10_107, 11_600, 11_602, 13_435, 13_436), _NO_PRIMARY),
    **dict.fromkeys((50, 64, 202, 262), _LATE),
}
"""What to do, by MongoDB's number of the failure."""
_DUPLICATE = 11_000


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
        with _of_a_url(), translated():
            self._client = AsyncIOMotorClient(self._url.get_secret_value(), **self._limits())
            # In code and not in the connection string: what is acknowledged must be durable, and read where written.
            self._database = self._client.get_default_database(
                DATABASE, write_concern=WriteConcern("majority", j=True), read_preference=ReadPreference.PRIMARY
            )
        try:
            await self._look()
        except BaseException:  # whatever it was, and also when we are cancelled: no connection stays behind
            self.close()
            raise

    async def _look(self) -> None:
        about = await self.read(lambda database: database.command("buildInfo"))
        self.version = str(about["version"])
        if tuple(about["versionArray"][:2]) < OLDEST_VERSION:
            needed = ".".join(str(part) for part in OLDEST_VERSION)
            raise StoreUnavailableError(f"MongoDB {self.version} is too old. Use {needed} or newer.")

    def close(self) -> None:
        """Let go of it."""
        client, self._client, self._database = self._client, None, None
        if client is not None:
            client.close()

    async def read[T](self, work: Callable[[Database], Awaitable[T]]) -> T:
        """Return the result of the work. Raises StoreUnavailableError."""
        database = self._opened()
        with translated():
            return await work(database)

    async def write[T](self, work: Callable[[Database], Awaitable[T]]) -> T:
        """Do the work, which may be done twice: once more at once where the server was restarted or gave way."""
        database = self._opened()
        with translated():
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
        with translated():
            try:
                status = await self._client.admin.command("replSetGetStatus")
            except OperationFailure as err:
                if err.code == _UNAUTHORIZED:
                    return None
                raise
        members = [member for member in status["members"] if member.get("stateStr") in ("PRIMARY", "SECONDARY")]
        written = [member["optimeDate"] for member in members]
        return (max(written) - min(written)).total_seconds() if written else None

    def _opened(self) -> Database:
        if self._database is None:
            raise StoreUnavailableError("The state is closed.")
        return self._database

    def _limits(self) -> dict[str, Any]:
        """Return the driver's limits of time, but for those that the connection string sets."""
        named = {name.lower() for name, _ in parse_qsl(urlsplit(self._url.get_secret_value()).query)}
        limits = {
            "serverSelectionTimeoutMS": FIND_SERVER_WITHIN_MS,
            "connectTimeoutMS": FIND_SERVER_WITHIN_MS,
            "timeoutMS": ANSWER_WITHIN_MS,
        }
        return {name: limit for name, limit in limits.items() if name.lower() not in named}


async def insert_missing(collection: Collection, documents: Sequence[Document]) -> None:
    """Insert the documents whose ids are not there yet."""
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as err:
        if _codes(err) != {_DUPLICATE, err.code}:
            raise


@contextmanager
def as_written(collection: str) -> Iterator[None]:
    """Turn the failure to read a document, which somebody altered by hand, into StoreUnavailableError."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as err:
        raise StoreUnavailableError(
            f"A document of the collection {collection} is not as this server writes it. Restore it from a backup."
        ) from err


@contextmanager
def _of_a_url() -> Iterator[None]:
    """Turn the failure to understand a connection string into StoreUnavailableError, without the driver's words."""
    try:
        yield
    except (TypeError, ValueError) as err:
        raise StoreUnavailableError(_NO_URL) from err


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the driver raises into StoreUnavailableError."""
    try:
        yield
    except PyMongoError as err:
        raise StoreUnavailableError(_advice(err)) from err


def _advice(err: PyMongoError) -> str:
    match err:
        case ConfigurationError() | InvalidName():
            return _of_configuration(err)
        case OperationFailure():
            return _of_refusal(err)
        case ConnectionFailure():
            return _of_connection(err)
    return f"MongoDB cannot be used: {_short(err)}"


def _of_configuration(err: PyMongoError) -> str:
    said = str(err)
    if "wire version" in said:  # the driver's own words for a server that is older than it can speak to
        return f"This MongoDB is too old. {_short(err)}"
    return _NO_URL


def _of_refusal(err: OperationFailure) -> str:
    codes = _codes(err)
    for code, advice in _ADVICE.items():
        if code in codes:
            return advice
    return _NO_SPACE if "No space left" in str(err) else f"MongoDB refuses: {_short(err)}"


def _of_connection(err: ConnectionFailure) -> str:
    if err.timeout and not isinstance(err, ServerSelectionTimeoutError):
        return _LATE
    said = str(err)
    if "No primary" in said or "No replica set members" in said:
        return f"MongoDB has no primary that can be reached. Check its replica set, and mongodb_url. ({_short(err)})"
    return f"MongoDB cannot be reached. Start it, or check mongodb_url. ({_short(err)})"


def _codes(err: OperationFailure) -> set[int]:
    """Return the codes of a failure, those inside a bulk write included."""
    codes = {err.code} if err.code is not None else set()
    details = err.details or {}
    for part in (*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())):
        codes.add(part.get("code", 0))
    return codes


def _short(err: PyMongoError) -> str:
    """Return what was said without the driver's long account of the servers it knows."""
    return str(err).partition(", full error:")[0].partition(" (configured timeouts")[0].partition(", Timeout:")[0][:300]

"""What the driver's failures mean: all that are expected become StoreUnavailableError, with what to do.

In:   work that uses the driver.
Out:  nothing.
Failures: StoreUnavailableError. No message holds a part of the connection string, which may hold a password.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidName,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from energy_server.errors import StoreUnavailableError

OLDEST_VERSION = (4, 4)
OLDEST = ".".join(map(str, OLDEST_VERSION))
UNAUTHORIZED = 13
DUPLICATE = 11_000
_NO_URL = (
    "mongodb_url is not acceptable. It looks like mongodb://user:password@host:27017/database, with signs in user and"
    " password percent-encoded."
)
_LATE = "MongoDB did not answer in time. The server goes on by itself once it does."
_NO_PRIMARY = "MongoDB has no primary at the moment. The server goes on by itself once it has one."
_NO_RIGHT = "MongoDB wants a login, or the user of mongodb_url may not read and write the database."
_START = "Start it, or check mongodb_url; where it ended by itself, its log says why: a full disk, for example."
_NO_SPACE = "No space is left for MongoDB. Free some; the server goes on by itself."
_ADVICE = {
    18: "MongoDB refuses user or password. Check mongodb_url, and its authSource.",
    UNAUTHORIZED: _NO_RIGHT,
    8_000: _NO_RIGHT,
    73: "mongodb_url names no acceptable database. Use letters and digits.",
    14_031: _NO_SPACE,
    **dict.fromkeys((91, 189, 10_107, 11_600, 11_602, 13_435, 13_436), _NO_PRIMARY),
    **dict.fromkeys((50, 64, 202, 262), _LATE),
}
"""What to do, by MongoDB's number of the failure."""


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
def of_a_url() -> Iterator[None]:
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
    if "reports wire version" in said:  # the driver's own words for a server that is older than it can speak to
        return f"This MongoDB is too old. Use {OLDEST} or newer. ({_short(err)})"
    if "requires wire version" in said:
        return f"This MongoDB is too new for this release. Update the server, or use an older MongoDB. ({_short(err)})"
    return _NO_URL


def _of_refusal(err: OperationFailure) -> str:
    codes = codes_of(err)
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
    return f"MongoDB cannot be reached. {_START} ({_short(err)})"


def codes_of(err: OperationFailure) -> set[int]:
    """Return the codes of a failure, those inside a bulk write included."""
    codes = {err.code} if err.code is not None else set()
    details = err.details or {}
    for part in (*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())):
        codes.add(part.get("code", 0))
    return codes


def _short(err: PyMongoError) -> str:
    """Return what was said without the driver's long account of the servers it knows."""
    return str(err).partition(", full error:")[0].partition(" (configured timeouts")[0].partition(", Timeout:")[0][:300]

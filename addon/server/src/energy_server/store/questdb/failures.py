"""Which failures of QuestDB mean that it cannot be used now, and what to do then.

In:   an exception of either client, or of the network.
Out:  StoreUnavailableError that says what to do. QuestDB has one code for all errors of SQL, so they are told apart by
their text, and any other is shown as it is. No user name or password is part of a message.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from questdb import QuestDBError, QuestDBErrorCode

from energy_server.errors import StoreUnavailableError
from energy_server.store.questdb.address import QuestDBAddress

SHOWN_CHARACTERS = 300

NOT_NOW = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, QuestDBError)
"""TimeoutError is an OSError."""
CONNECTION_LOST = (ConnectionError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)
"""What a connection says that was closed by the other side while nobody used it."""

LOOK_AT_ITS_DISK = "see whether its disk is full or may only be read, and its log; the server goes on by itself"
_REFUSED = "refuses our user or password: set both in its URL"
_ADVICE = (
    # marks in the text, what to do
    (("invalid username/password", "unauthorized", "authentication"), _REFUSED),
    (
        (
            "read-only",
            "readonly",
            "not accepting writes",
            "cannot receive writes",
            "permission denied",
            "access denied",
        ),
        "may only be read: let our user write, or free it of its read-only mode",
    ),
    (
        ("no space", "disk full", "errno=28", "errno: 28", "[28]"),
        "has no space left: free some, the server goes on by itself",
    ),
    (
        ("errno=30", "errno: 30", "[30]"),
        "has a disk that may only be read: make it writable, the server goes on by itself",
    ),
    (
        ("query aborted", "timeout, query"),
        "took longer than it allows a query (QDB_QUERY_TIMEOUT): raise that, or ask for less",
    ),
    (("connection refused", "connect call failed"), "cannot be reached: start it, or set the URL where it is"),
    (
        ("name or service", "name resolution", "no address associated", "nodename"),
        "cannot be found by its name: set the URL where it is",
    ),
    (
        ("invalid column", "table does not exist"),
        "has lost a table or a column of ours: restart the server, which then says which",
    ),
    (("suspended",), f"holds back what was written: {LOOK_AT_ITS_DISK}"),
    (
        ("could not open", "could not create", "cannot create", "could not msync", "bulk update failed"),
        f"could not write: {LOOK_AT_ITS_DISK}",
    ),
)


@contextmanager
def translated(address: QuestDBAddress) -> Iterator[None]:
    """Raise what QuestDB, its clients or the network refuse for now as StoreUnavailableError."""
    try:
        yield
    except NOT_NOW as err:
        raise StoreUnavailableError(advice(err, address)) from err


def advice(err: BaseException, address: QuestDBAddress) -> str:
    """Return what to do about a failure."""
    text = " ".join(str(err).split())[:SHOWN_CHARACTERS]
    if isinstance(err, QuestDBError) and err.code is QuestDBErrorCode.AuthError:
        return f"QuestDB at {address} {_REFUSED}. ({text})"
    if known := known_trouble(text):
        return f"QuestDB at {address} {known}. ({text})"
    if isinstance(err, TimeoutError):
        return f"QuestDB at {address} does not answer: see whether it hangs, or restart it."
    return f"QuestDB at {address} cannot be used: {text}"


def known_trouble(text: str) -> str | None:
    """Return, as words that follow on "QuestDB", what is wrong and what to do; None where we do not know that text."""
    lowered = text.lower()
    return next((what for marks, what in _ADVICE if any(mark in lowered for mark in marks)), None)

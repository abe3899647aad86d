"""How the tables are, and what can be mended: tables that QuestDB suspended are resumed.

In:   the connections.
Out:  figures; whether anything is wrong; a line about what was mended.
Failures: StoreUnavailableError.

QuestDB deletes no rows but whole tables and partitions, and never by itself. Who has that done by hand leaves a store
that no longer has what Coverage says: it gets another id, which the server takes over when it is restarted.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from energy_server.errors import StoreUnavailableError
from energy_server.store.questdb import schema
from energy_server.store.questdb.address import QuestDBAddress
from energy_server.store.questdb.connection import Connections
from energy_server.store.questdb.failures import LOOK_AT_ITS_DISK, known_trouble
from energy_server.store.questdb.schema import READINGS, STATISTICS, TABLES

RESUME_EVERY_S = 5.0

_STATES = "SELECT name, suspended, sequencerTxn - writerTxn AS behind, errorMessage FROM wal_tables()"
_SIZE = """
SELECT sum(numRows) AS readings, sum(diskSize) AS size_bytes, count_distinct(left(name, {name})) AS partitions
FROM table_partitions('{table}') WHERE attached
"""
_NAMES = {"DAY": 10, "MONTH": 7, "YEAR": 4}
"""So much of a partition's name tells it from others; the rest tells apart what QuestDB has split it into."""
_LAG = "SELECT sum(wal_pending_row_count) AS lag FROM tables() WHERE table_name LIKE 'energy_%'"
_COMMIT_MODE = "SELECT value FROM (SHOW PARAMETERS) WHERE property_path = 'cairo.commit.mode'"


async def _suspended(connections: Connections) -> dict[str, str]:
    """Return the tables that QuestDB suspended, each with its reason."""
    rows = await connections.fetch(_STATES)
    return {row["name"]: row["errorMessage"] for row in rows if row["name"] in TABLES and row["suspended"]}


class Guard:
    """Knows whether the tables are the ones that were opened, unaltered and taking rows.

    Once they were found not to be, nothing is written until `check` finds that they are again. Who wants to write then
    has what QuestDB suspended resumed, now and then: what it suspended for may be over.
    """

    def __init__(
        self, connections: Connections, address: QuestDBAddress, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.store_id: str | None = None
        self.figures = Figures(0, 0, 0)
        self._connections = connections
        self._address = address
        self._clock_s = clock_s
        self._ids: dict[str, int] = {}
        self._partitions: Mapping[str, int] = {}
        self._lost: str | None = None
        self._trouble: str | None = None
        self._resume_at_s = 0.0
        self._resuming = False
        self._resumed: str | None = None

    @property
    def trouble(self) -> str | None:
        """What was found and is not known to be over."""
        return self._trouble

    async def opened(self, store_id: str) -> None:
        """Take the tables that are there for those of the store. Raises StoreUnavailableError."""
        await self.check()
        self.store_id, self._ids = store_id, await schema.ids(self._connections.fetch)

    async def same(self) -> None:
        """See that the tables are the ones that were opened. Raises StoreUnavailableError.

        Asked before and after rows are written, which takes less than a millisecond: rows for a table that is gone make
        QuestDB make one, without what keeps rows from doubling, and acknowledge them.
        """
        if await schema.ids(self._connections.fetch) != self._ids:
            await self.check()

    async def pass_(self) -> None:
        """Return at once where no trouble is known, else when it is over. Raises StoreUnavailableError."""
        if self._trouble is not None:
            if self._clock_s() >= self._resume_at_s:
                with suppress(StoreUnavailableError):  # what is still wrong is found next
                    await self.resume()
            await self.check()

    async def check(self) -> None:
        """Look. Raises StoreUnavailableError."""
        if self._resuming and self._trouble is not None:  # not yet known to be over
            raise StoreUnavailableError(self._trouble)
        try:
            await self._check()
        except StoreUnavailableError as err:
            self.found(err.message)
            raise
        self._trouble = None

    def found(self, trouble: str) -> None:
        """Let nothing be written until this is over."""
        if self._trouble is None:
            self._resume_at_s = self._clock_s() + RESUME_EVERY_S
        self._trouble = trouble

    async def resume(self) -> None:
        """Resume the tables that are suspended, and see that they stay resumed. Raises StoreUnavailableError."""
        if self._resuming:
            return
        self._resuming, self._resume_at_s = True, self._clock_s() + RESUME_EVERY_S
        try:
            self._resumed = await _resume(self._connections) or self._resumed
        finally:
            self._resuming = False

    def told(self) -> str | None:
        """Return once what was resumed, as a line."""
        line, self._resumed = self._resumed, None
        return line

    async def _check(self) -> None:
        fetch = self._connections.fetch
        if self._lost is not None:
            raise StoreUnavailableError(self._lost)
        before = self._partitions
        self.figures = counted = await _figures(self._connections)
        await schema.check(fetch)
        if self.store_id is not None and await schema.stored_id(fetch) != self.store_id:
            raise StoreUnavailableError(
                f"QuestDB at {self._address} holds another store than at the start: restart the server to use it."
            )
        await self._see_losses(before, counted.partitions)
        self._partitions = counted.partitions
        for table, reason in (await _suspended(self._connections)).items():
            raise StoreUnavailableError(_suspension(table, reason))

    async def _see_losses(self, before: Mapping[str, int], partitions: Mapping[str, int]) -> None:
        if self.store_id is None:
            return
        fetch = self._connections.fetch
        there = await schema.ids(fetch)
        for table in TABLES:
            if table in there and there[table] != self._ids.get(table):
                what = "was made anew by somebody"
            elif table in partitions and partitions[table] < before.get(table, 0):
                what = "has lost rows that somebody removed"
            else:
                continue
            await schema.void(fetch)
            self._lost = (
                f"QuestDB's table {table} {what}: restart the server, which then asks Home Assistant for what it lacks."
            )
            raise StoreUnavailableError(self._lost)


def _suspension(table: str, reason: str) -> str:
    """Return what to do about a table that QuestDB suspended; the reason that it gives is often not the cause."""
    if known := known_trouble(reason):
        return f"QuestDB suspended its table {table}, as it {known}. ({reason})"
    return f"QuestDB suspended its table {table} ({reason or 'it says not why'}): {LOOK_AT_ITS_DISK}."


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is."""

    readings: int
    statistics: int
    size_bytes: int
    partitions: Mapping[str, int] = field(default_factory=dict)
    """Of each table that is there: how many days, months or years it has."""


async def _figures(connections: Connections) -> Figures:
    """Count; tables that are gone hold nothing."""
    there = {row["name"] for row in await connections.fetch(_STATES)}
    rows, size_bytes = dict.fromkeys(TABLES, 0), 0
    partitions: dict[str, int] = {}
    for table in there.intersection(TABLES):
        name = _NAMES[TABLES[table].partition]
        found = (await connections.fetch(_SIZE.format(table=table, name=name)))[0]
        rows[table], partitions[table] = found["readings"] or 0, found["partitions"] or 0
        size_bytes += found["size_bytes"] or 0
    return Figures(rows[READINGS], rows[STATISTICS], size_bytes, partitions)


class Look:
    """A look at how QuestDB is, under way or done; what it has found so far. It waits for nothing to be shown."""

    def __init__(self, connections: Connections, guard: Guard) -> None:
        self.answered = False
        self.lag_rows = 0
        self.synchronous = True
        self.trouble: str | None = None
        self._connections = connections
        self._guard = guard
        self.task = asyncio.create_task(self._look())

    async def _look(self) -> None:
        try:
            self.lag_rows = max(0, (await self._connections.fetch(_LAG))[0]["lag"] or 0)
            self.answered = True
            self.synchronous = await _is_synchronous(self._connections)
            await self._guard.check()
        except StoreUnavailableError as err:
            self.trouble = err.message


async def _resume(connections: Connections) -> str | None:
    """Resume the tables that are suspended; return a line about it when they show all that was written."""
    tables = await _suspended(connections)
    for table in tables:
        await connections.fetch(f"ALTER TABLE {table} RESUME WAL")
    for table in tables:
        connections.wrote(table)
        await connections.visible(table)
    if not tables:
        return None
    reasons = "; ".join(f"{table} ({reason or 'no reason given'})" for table, reason in tables.items())
    return f"QuestDB had suspended {reasons}: resumed"


async def _is_synchronous(connections: Connections) -> bool:
    """Say whether QuestDB waits for the disk before it acknowledges."""
    rows = await connections.fetch(_COMMIT_MODE)
    return any(row["value"] == "sync" for row in rows)

"""How the tables are, and what can be mended: tables that QuestDB suspended are resumed.

In:   the connections.
Out:  figures; whether anything is wrong; a line about what was mended.
Failures: StoreUnavailableError.
"""

from dataclasses import dataclass

from energy_server.errors import StoreUnavailableError
from energy_server.store.questdb import schema
from energy_server.store.questdb.address import QuestDBAddress
from energy_server.store.questdb.connection import Connections
from energy_server.store.questdb.schema import READINGS, STATISTICS, TABLES

_STATES = "SELECT name, suspended, sequencerTxn - writerTxn AS behind, errorMessage FROM wal_tables()"
_SIZE = "SELECT sum(numRows) AS readings, sum(diskSize) AS size_bytes FROM table_partitions('{table}')"
_LAG = "SELECT sum(wal_pending_row_count) AS lag FROM tables() WHERE table_name LIKE 'energy_%'"
_COMMIT_MODE = "SELECT value FROM (SHOW PARAMETERS) WHERE property_path = 'cairo.commit.mode'"


async def _suspended(connections: Connections) -> dict[str, str]:
    """Return the tables that QuestDB suspended, each with its reason."""
    rows = await connections.fetch(_STATES)
    return {row["name"]: row["errorMessage"] for row in rows if row["name"] in TABLES and row["suspended"]}


class Guard:
    """Knows whether the tables are the ones that were opened, unaltered and taking rows.

    Once they were found not to be, nothing is written until `check` finds that they are again.
    """

    def __init__(self, connections: Connections, address: QuestDBAddress) -> None:
        self.store_id: str | None = None
        self.trouble: str | None = None
        self._connections = connections
        self._address = address

    async def pass_(self) -> None:
        """Return at once where no trouble is known, else when it is over. Raises StoreUnavailableError."""
        if self.trouble is not None:
            await self.check()

    async def check(self) -> None:
        """Look. Raises StoreUnavailableError."""
        try:
            await self._check()
        except StoreUnavailableError as err:
            self.trouble = err.message
            raise
        self.trouble = None

    async def _check(self) -> None:
        fetch = self._connections.fetch
        await schema.check(fetch)
        if self.store_id is not None and await schema.stored_id(fetch) != self.store_id:
            raise StoreUnavailableError(
                f"QuestDB at {self._address} holds another store than at the start: restart the server to use it."
            )
        for table, reason in (await _suspended(self._connections)).items():
            raise StoreUnavailableError(
                f"QuestDB suspended its table {table}: {reason or 'its log says why'}. It is tried again every few"
                " minutes."
            )


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is."""

    readings: int
    statistics: int
    size_bytes: int


async def figures(connections: Connections) -> Figures:
    """Count; tables that are gone hold nothing."""
    there = {row["name"] for row in await connections.fetch(_STATES)}
    rows, size_bytes = dict.fromkeys(TABLES, 0), 0
    for table in there.intersection(TABLES):
        found = (await connections.fetch(_SIZE.format(table=table)))[0]
        rows[table] = found["readings"] or 0
        size_bytes += found["size_bytes"] or 0
    return Figures(rows[READINGS], rows[STATISTICS], size_bytes)


async def lag_rows(connections: Connections) -> int:
    """Return how many rows are acknowledged, but not shown yet."""
    return max(0, (await connections.fetch(_LAG))[0]["lag"] or 0)


async def resume(connections: Connections) -> str | None:
    """Resume the tables that are suspended; return a line about it."""
    tables = await _suspended(connections)
    for table in tables:
        await connections.fetch(f"ALTER TABLE {table} RESUME WAL")
    if not tables:
        return None
    reasons = "; ".join(f"{table} ({reason or 'no reason given'})" for table, reason in tables.items())
    return f"QuestDB had suspended {reasons}: resumed"


async def is_synchronous(connections: Connections) -> bool:
    """Say whether QuestDB waits for the disk before it acknowledges."""
    rows = await connections.fetch(_COMMIT_MODE)
    return any(row["value"] == "sync" for row in rows)

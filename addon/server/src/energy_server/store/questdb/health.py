"""How the tables are, and what can be mended: tables that QuestDB suspended are resumed.

In:   the connections.
Out:  figures and troubles; a line about what was mended.
Failures: StoreUnavailableError.
"""

from dataclasses import dataclass

from energy_server.store.questdb.connection import Connections
from energy_server.store.questdb.schema import READINGS, STATISTICS, TABLES

_STATES = "SELECT name, suspended, sequencerTxn - writerTxn AS behind, errorMessage FROM wal_tables()"
_SIZE = "SELECT sum(numRows) AS readings, sum(diskSize) AS size_bytes FROM table_partitions('{table}')"
_LAG = "SELECT sum(wal_pending_row_count) AS lag FROM tables() WHERE table_name LIKE 'energy_%'"
_COMMIT_MODE = "SELECT value FROM (SHOW PARAMETERS) WHERE property_path = 'cairo.commit.mode'"


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is; `lag_rows` are acknowledged, but not shown yet."""

    readings: int
    statistics: int
    size_bytes: int
    lag_rows: int


async def figures(connections: Connections) -> Figures:
    """Count."""
    rows, size_bytes = {}, 0
    for table in TABLES:
        found = (await connections.fetch(_SIZE.format(table=table)))[0]
        rows[table] = found["readings"] or 0
        size_bytes += found["size_bytes"] or 0
    lag = (await connections.fetch(_LAG))[0]["lag"] or 0
    return Figures(rows[READINGS], rows[STATISTICS], size_bytes, max(0, lag))


async def suspended(connections: Connections) -> dict[str, str]:
    """Return the tables that QuestDB suspended, each with its reason."""
    rows = await connections.fetch(_STATES)
    return {row["name"]: row["errorMessage"] for row in rows if row["name"] in TABLES and row["suspended"]}


async def resume(connections: Connections) -> str | None:
    """Resume the tables that are suspended; return a line about it."""
    tables = await suspended(connections)
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

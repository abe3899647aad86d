"""The connections that read, and the rule that a read sees what was written before.

In:   constant SQL with bound parameters.
Out:  rows. A connection that was closed meanwhile, by a restart of QuestDB or by its idle timeout, is replaced once
without notice.
Failures: StoreUnavailableError, with what to do.

QuestDB acknowledges rows when they are durable, and shows them a moment later. `wrote` notes that there is something
to wait for, `visible` waits for it.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from time import monotonic
from typing import Any

import asyncpg

from energy_server.errors import StoreUnavailableError
from energy_server.store.questdb.address import QuestDBAddress
from energy_server.store.questdb.failures import CONNECTION_LOST, LOOK_AT_ITS_DISK, translated

READERS = 4
CONNECT_WITHIN_S = 5.0
ANSWER_WITHIN_S = 15.0
IDLE_S = 120.0
"""QuestDB closes a connection that was idle for 5 minutes."""
FIRST_PAUSE_S = 0.002
LONGEST_PAUSE_S = 0.2
STILL_S = 60.0
"""So long one transaction may take until it shows: one that touches a thousand days takes a quarter of this."""
OLDEST_VERSION = (9, 3)

type Row = asyncpg.Record


class Connections:
    """A few connections by PostgreSQL's protocol, opened when they are needed."""

    def __init__(self, address: QuestDBAddress) -> None:
        self._address = address
        self._pool: asyncpg.Pool[Row] | None = None
        self._written = Counter[str]()
        self._seen = Counter[str]()
        self._waiting: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.version = ""

    async def open(self) -> None:
        """Connect once. Raises StoreUnavailableError."""
        address = self._address
        self._pool = asyncpg.create_pool(
            host=address.pg_host,
            port=address.pg_port,
            user=address.pg_user,
            password=address.pg_password,
            database=address.database,
            ssl=True if address.pg_tls else None,
            min_size=0,
            max_size=READERS,
            timeout=CONNECT_WITHIN_S,
            command_timeout=ANSWER_WITHIN_S,
            max_inactive_connection_lifetime=IDLE_S,
            reset=_nothing,
        )
        with translated(address):
            await self._pool
        self.version = await self._known_version()

    async def close(self) -> None:
        """Let go of the connections, in the middle of a query too."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()

    async def fetch(self, sql: str, *values: object) -> list[Row]:
        """Run a statement and return its rows. Raises StoreUnavailableError."""
        pool = self._pool
        if pool is None:
            raise StoreUnavailableError("The store is closed.")
        with translated(self._address):
            try:
                return await pool.fetch(sql, *values)
            except CONNECTION_LOST:
                await pool.expire_connections()
                return await pool.fetch(sql, *values)

    def wrote(self, table: str) -> None:
        """Note that rows may have been written to a table."""
        self._written[table] += 1

    async def visible(self, table: str) -> None:
        """Return when all that was written before can be read. Raises StoreUnavailableError.

        After a large backfill that may take long; we wait as long as it goes on. One asks for all, again and again:
        QuestDB's own wait_wal_table keeps one of its few threads busy, so that it answers nobody else.
        """
        written = self._written[table]
        if self._seen[table] < written:
            async with self._waiting[table]:
                if self._seen[table] < written:
                    await self._wait(table)

    async def _wait(self, table: str) -> None:
        now, reader = self._written[table], await self._transactions(table)
        wanted, shown, moved_s, pause_s = reader["sequencerTxn"], reader["writerTxn"], monotonic(), FIRST_PAUSE_S
        while shown < wanted:
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)
            before, shown = shown, (await self._transactions(table))["writerTxn"]
            if shown > before:
                moved_s = monotonic()
            elif monotonic() - moved_s > STILL_S:
                raise StoreUnavailableError(
                    f"QuestDB at {self._address} is busy with what was written to {table}. Should it stay so, see its"
                    " log and its load."
                )
        self._seen[table] = max(self._seen[table], now)

    async def _transactions(self, table: str) -> Row:
        """Return which transactions there are and which show. Raises StoreUnavailableError when none will be."""
        rows = await self.fetch("SELECT writerTxn, sequencerTxn, suspended FROM wal_tables() WHERE name = $1", table)
        if not rows:
            raise StoreUnavailableError(f"QuestDB at {self._address} has lost its table {table}: restart the server.")
        if rows[0]["suspended"]:
            raise StoreUnavailableError(
                f"QuestDB at {self._address} holds back what was written to {table}: {LOOK_AT_ITS_DISK}."
            )
        return rows[0]

    async def _known_version(self) -> str:
        text = str((await self.fetch("SELECT build()"))[0][0])
        version = text.partition("QuestDB ")[2].partition(",")[0]
        if tuple(map(int, _numbers(version))) < OLDEST_VERSION:
            oldest = ".".join(map(str, OLDEST_VERSION))
            raise StoreUnavailableError(
                f"QuestDB at {self._address} is too old ({version or text}): update it to {oldest} or later"
            )
        return version


def _numbers(version: str) -> Sequence[str]:
    return [part for part in version.partition("-")[0].split(".") if part.isdigit()]


async def _nothing(_connection: Any) -> None:
    """Leave a connection as it is: what asyncpg would run to reset it is PostgreSQL's alone."""

"""Rows to QuestDB by its own client: durable when `write` returns, all of them.

In:   rows for one or more tables.
Out:  an acknowledgement by QuestDB, which then has them in its write-ahead log.
Failures: StoreUnavailableError. Whether the rows are stored is not known then; writing them again is harmless.

The client is used in one thread of its own and stays connected. A connection that was lost is made anew once, when
`still_there` finds the same store: QuestDB would make tables that are missing, without what keeps rows from doubling.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from questdb import Protocol, QuestDBError, QuestDBErrorCode, Sender, TimestampNanos

from energy_server.store.questdb.address import QuestDBAddress
from energy_server.store.questdb.failures import translated
from energy_server.store.questdb.rows import NewRow

ANSWER_WITHIN_MS = 15_000
NS_PER_US = 1_000


class Writer:
    """One connection that writes."""

    def __init__(self, address: QuestDBAddress, name: str, still_there: Callable[[], Awaitable[None]]) -> None:
        self._address = address
        self._still_there = still_there
        self._thread = ThreadPoolExecutor(1, name)
        self._sender: Sender | None = None

    async def write(self, rows: Callable[[], Iterable[NewRow]]) -> None:
        """Store rows, made in the thread: twice where a lost connection had to be made anew."""
        loop = asyncio.get_running_loop()
        with translated(self._address):
            try:
                await loop.run_in_executor(self._thread, self._write, rows)
            except QuestDBError as err:
                if err.code is not QuestDBErrorCode.SocketError:
                    raise
                await self._still_there()
                await loop.run_in_executor(self._thread, self._write, rows)

    async def close(self) -> None:
        """Finish what is under way and disconnect."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)

    # What follows runs in the thread.

    def _write(self, rows: Callable[[], Iterable[NewRow]]) -> None:
        sender = self._connected()
        buffer = sender.new_buffer()
        row = buffer.row
        for table, symbols, columns, ts_us in rows():
            row(table, symbols=symbols, columns=columns, at=TimestampNanos(ts_us * NS_PER_US))
        try:
            sender.flush(buffer)
        except QuestDBError:
            self._disconnect()
            raise

    def _connected(self) -> Sender:
        if self._sender is None:
            address = self._address
            sender = Sender(
                Protocol.Https if address.tls else Protocol.Http,
                address.host,
                address.http_port,
                username=address.user,
                password=address.password,
                auto_flush=False,
                request_timeout=ANSWER_WITHIN_MS,
                retry_timeout=0,
                protocol_version="2",
            )
            sender.establish()  # type: ignore[no-untyped-call]
            self._sender = sender
        return self._sender

    def _disconnect(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.close(flush=False)

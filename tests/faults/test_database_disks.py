"""The disk below QuestDB or MongoDB gets full, then fails: the server says so, keeps running, and loses nothing.

A database that ended of it is started again, as its system does; the server itself is left alone all the time.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from dev.processes import free_port
from dev.servers import DURABLE, DatabaseServer, MongoDB, QuestDB, Running, start
from tests.conftest import FIRST_PORT
from tests.faults.failing_disk import FailingDisk, failing_disk
from tests.product.load import Load
from tests.product.running import Product
from tests.product.saying import say
from tests.product.server import Server
from tests.product.verifying import nothing_missing, now_us

QUESTDB_BYTES, MONGODB_BYTES = 2 * 2**30, 600 * 2**20
"""What each reserves at its start, and some."""
OFTEN = {"QDB_CAIRO_WAL_SEGMENT_ROLLOVER_ROW_COUNT": "500"}
"""QuestDB needs new files all the time, and not once in hours."""
CHECKPOINTS = ("--syncdelay", "1")
"""MongoDB writes its data every second, and not every minute."""
WITHOUT_S = 1.0
RECOVERED_WITHIN_S = 60.0
FULL, READ_ONLY = ("no space left", "disk is full", "a full disk"), ("may only be read", "cannot be reached")
UNAVAILABLE = 503

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240, func_only=True)]


@dataclass(slots=True)
class Database:
    """One that runs on a disk of its own."""

    server: DatabaseServer
    disk: FailingDisk
    running: Running

    @property
    def pid(self) -> int:
        """Its process."""
        return self.running.process.pid

    async def started_if_it_ended(self) -> None:
        """Do what its system does."""
        if self.running.process.exit_code is not None:
            self.running = await start(self.server)

    async def restarted(self) -> None:
        """Mend its disk and start it again, as a start of the machine does."""
        await self.running.stop()
        self.disk.mend()
        self.running = await start(self.server)


@pytest_asyncio.fixture(loop_scope="session")
async def databases(tmp_path: Path) -> AsyncIterator[list[Database]]:
    """Run both."""
    first = free_port(FIRST_PORT + 60)
    questdb = QuestDB(tmp_path / "questdb", first, free_port(first + 1), {**DURABLE, **OFTEN})
    mongodb = MongoDB(tmp_path / "mongodb", free_port(first + 5), options=CHECKPOINTS)
    async with AsyncExitStack() as stack:
        both: list[Database] = []
        for server, size_bytes in ((questdb, QUESTDB_BYTES), (mongodb, MONGODB_BYTES)):
            disk = stack.enter_context(failing_disk(server.folder / "data", size_bytes))
            both.append(Database(server, disk, await start(server)))
            stack.push_async_callback(_stop, both[-1])
        yield both


async def _stop(database: Database) -> None:
    await database.running.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def product(databases: list[Database], start: Callable[..., Awaitable[Product]]) -> Product:
    """Run the product on them."""
    questdb, mongodb = (database.server for database in databases)
    assert isinstance(questdb, QuestDB)
    assert isinstance(mongodb, MongoDB)
    settings = {
        "ENERGY_STORAGE": "questdb",
        "ENERGY_QUESTDB_URL": questdb.url,
        "ENERGY_QUESTDB_PG_URL": questdb.pg_url,
        "ENERGY_MONGODB_URL": mongodb.url,
    }
    return await start(settings=settings)


async def said(server: Server, name: str, words: tuple[str, ...]) -> str:
    """Wait until `ready` names the database and what is wrong, and see that Status says so, too."""

    async def look() -> str | None:
        status, body = await server.ask("/api/ready")
        message = str(body["error"]["message"]) if status == UNAVAILABLE else ""
        return message if name in message and any(word in message for word in words) else None

    async def shown() -> bool | None:
        status = await server.get("/api/status")
        parts = (status["storage"], *status["stores"])
        return any(part["detail"] for part in parts if not part["well"]) or None

    message = await server.until(look, f"the server to say what is wrong with {name}")
    await server.until(shown, f"Status to say what is wrong with {name}")
    return message


async def fill(server: Server, database: Database) -> None:
    """Let its disk be full for a while."""
    name, disk = database.server.name, database.disk
    disk.fill(database.pid)
    message = await said(server, name, FULL)
    if database.running.process.exit_code is None:
        disk.fill(database.pid)
    await asyncio.sleep(WITHOUT_S)
    assert await server.is_alive()
    disk.free(database.pid)
    await database.started_if_it_ended()
    await server.until(server.is_ready, f"the server to recover from the full disk of {name}", RECOVERED_WITHIN_S)
    say(f"The disk of {name} ({disk.name}) was full; the server said: {message}")


async def fail(server: Server, database: Database) -> None:
    """Let its disk fail, and have it mended."""
    name, disk = database.server.name, database.disk
    disk.fail(database.pid)
    message = await said(server, name, READ_ONLY)
    await asyncio.sleep(WITHOUT_S)
    assert await server.is_alive()
    await database.restarted()
    await server.until(server.is_ready, f"the server to recover from the failed disk of {name}", RECOVERED_WITHIN_S)
    say(f"The disk of {name} ({disk.name}) failed; the server said: {message}")


async def test_full_then_read_only(product: Product, databases: list[Database], load_of: Callable[..., Load]) -> None:
    server, load = product.server, load_of(product)
    process, since_us = server.running, now_us()
    await load.announce(server)
    async with load.running():
        for database in databases:
            await fill(server, database)
            await fail(server, database)
    await load.arrived(server)
    await nothing_missing(product.home, server, since_us)
    assert server.running is process
    assert process.exit_code is None
    assert " ERROR " not in server.says()

"""The server on QuestDB and MongoDB where one of them is not there, at the start or in the middle."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from dev.processes import free_port
from dev.servers import DatabaseServer, MongoDB, QuestDB
from dev.servers import Running as RunningDatabase
from dev.servers import start as start_database
from energy_server.store.questdb import QuestDBAddress as Address
from tests.conftest import FIRST_PORT, QuestDBAddress
from tests.product.waiting import until
from tests.server.link.linking import HOUR_US, NOON_US, SECOND_US, SITE, Client, readings
from tests.server.serving import Running, Start
from tests.server.store.impatience import impatience
from tests.server.store.questdb_tables import drop_tables

pytestmark = pytest.mark.timeout(180)


class Databases:
    """Database servers of the test's own, which it starts and stops as it likes."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def start(self, server: DatabaseServer) -> RunningDatabase:
        running = await start_database(server)
        self._stack.push_async_callback(running.kill)
        return running


@pytest.fixture
async def databases() -> AsyncIterator[Databases]:
    async with AsyncExitStack() as stack:
        yield Databases(stack)


@pytest.fixture
def empty_questdb(questdb_address: QuestDBAddress) -> QuestDBAddress:
    drop_tables(Address.of(questdb_address.url, questdb_address.pg_url))
    return questdb_address


def on(url: str, pg_url: str, mongodb_url: str) -> dict[str, Any]:
    return {"storage": "questdb", "questdb_url": url, "questdb_pg_url": pg_url, "mongodb_url": mongodb_url}


@pytest.fixture
def mongodb(tmp_path: Path) -> MongoDB:
    return MongoDB(tmp_path / "mongodb", free_port(FIRST_PORT + 500))


async def said(server: Running, path: str, status: int) -> str:
    async with server.client.get(f"{server.url}{path}") as answer:
        body = await answer.json()
        assert answer.status == status, body
        return str(body["error"]["message"]) if "error" in body else ""


def ready(server: Running) -> Callable[[], Awaitable[bool | None]]:
    async def look() -> bool | None:
        async with server.client.get(f"{server.url}/api/ready") as answer:
            return answer.status == 200 or None

    return look


@asynccontextmanager
async def link_of(server: Running) -> AsyncIterator[Client]:
    async with server.client.ws_connect(f"{server.url}/link") as socket:
        client = Client(socket)
        await client.greet()
        yield client


async def test_mongodb_is_not_there_at_the_start(
    start: Start, databases: Databases, mongodb: MongoDB, empty_questdb: QuestDBAddress
) -> None:

    async def told() -> bool | None:
        return "MongoDB cannot be reached" in await said(server, "/api/ready", 503) or None

    with impatience():
        server = await start(wait=False, **on(empty_questdb.url, empty_questdb.pg_url, mongodb.url))
        assert await said(server, "/api/health", 200) == ""
        await until(told, "the trouble to be told")
        status = await server.get("/api/status")
    assert "MongoDB cannot be reached" in status["trouble"]
    assert [(store["backend"], store["reachable"]) for store in status["stores"]] == [
        ("questdb", True),
        ("mongodb", False),
    ]
    assert (status["storage"]["choice"], status["sites"]) == ("questdb", [])
    await databases.start(mongodb)
    await until(ready(server), "the server to be ready")
    status = await server.get("/api/status")
    assert status["storage"]["choice"] == "questdb"
    assert [(store["backend"], store["well"]) for store in status["stores"]] == [("questdb", True), ("mongodb", True)]


async def test_both_are_not_there_and_both_are_told(start: Start, mongodb: MongoDB) -> None:
    nowhere = f"http://127.0.0.1:{free_port(FIRST_PORT + 520)}"

    async def told() -> bool | None:
        return "MongoDB cannot be reached" in await said(server, "/api/ready", 503) or None

    with impatience():
        server = await start(wait=False, **on(nowhere, "postgresql://admin:quest@127.0.0.1:1/qdb", mongodb.url))
        await until(told, "the trouble to be told")
        status = await server.get("/api/status")
    details = {store["backend"]: store["detail"] for store in status["stores"]}
    assert "MongoDB cannot be reached" in details["mongodb"]
    assert "QuestDB at 127.0.0.1" in details["questdb"]
    assert details["questdb"] in await said(server, "/api/ready", 503)


async def test_questdb_is_not_there_at_the_start(
    start: Start, databases: Databases, mongodb_url: str, tmp_path: Path
) -> None:
    port = free_port(FIRST_PORT + 510)
    questdb = QuestDB(tmp_path / "questdb", port, free_port(port + 1))
    server = await start(wait=False, **on(questdb.url, questdb.pg_url, f"{mongodb_url}test_away"))
    assert await said(server, "/api/health", 200) == ""

    async def told() -> bool | None:
        return "QuestDB" in await said(server, "/api/ready", 503) or None

    await until(told, "the trouble to be told")
    await databases.start(questdb)
    await until(ready(server), "the server to be ready")


@pytest.mark.parametrize("how", ["killed", "hung"])
async def test_mongodb_goes_away_in_the_middle(
    start: Start, databases: Databases, mongodb: MongoDB, empty_questdb: QuestDBAddress, how: str
) -> None:
    running = await databases.start(mongodb)
    server = await start(**on(empty_questdb.url, empty_questdb.pg_url, mongodb.url))
    async with link_of(server) as client:
        first = readings([[0, NOON_US - 10 * SECOND_US, 1.0]])
        await client.expect("ack", seq=await client.number(first))
        await (running.kill() if how == "killed" else running.pause())
        later_us = NOON_US - 3 * HOUR_US  # an hour that has no mark yet
        held = readings([[0, later_us, 0.5]], (later_us, later_us + SECOND_US), origin="recorder", of=[0])
        with impatience():
            seq = await client.number(held)
            error = await client.expect("error", code="store_unavailable")
            assert "MongoDB" in error["message"]
            started_s = time.monotonic()
            assert "MongoDB" in await said(server, "/api/ready", 503)
            status = await server.get("/api/status")
            assert "MongoDB" in await said(server, "/api/entities", 503)
            assert time.monotonic() - started_s < 15
        assert [store["well"] for store in status["stores"]] == [True, False]
        assert "MongoDB" in status["stores"][1]["detail"]
        assert await said(server, "/api/health", 200) == ""
        await (databases.start(mongodb) if how == "killed" else running.resume())
        await client.expect("ack", seq=seq)
    await until(ready(server), "the server to be ready")
    answer = await server.get("/api/readings", site=SITE, key="a", start=later_us, end=NOON_US)
    assert answer["ts_us"] == [later_us, NOON_US - 10 * SECOND_US]


async def test_wrong_words_are_told_and_the_server_stays_up(
    start: Start, mongodb_url: str, empty_questdb: QuestDBAddress
) -> None:
    there = mongodb_url.replace("mongodb://", "mongodb://energy:hidden-word@")
    server = await start(wait=False, **on(empty_questdb.url, empty_questdb.pg_url, there))

    async def told() -> bool | None:
        message = await said(server, "/api/ready", 503)
        assert "hidden-word" not in message
        return "refuses user or password" in message or None

    await until(told, "the trouble to be told")
    assert await said(server, "/api/health", 200) == ""

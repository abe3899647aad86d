"""A store that another process holds is waited for, and nobody has to start the server anew."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from energy_server.api.routes import ROUTES
from tests.server.serving import BEARER, Launch, Process, error_of

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("CREATE TABLE IF NOT EXISTS held (x INTEGER)")
print("held", flush=True)
sys.stdin.read()
"""


class Holder:
    """A process that has the store's file open."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, path: Path) -> Holder:
        path.parent.mkdir(parents=True, exist_ok=True)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLD, str(path), stdin=pipe, stdout=pipe)
        assert process.stdout is not None
        assert await process.stdout.readline() == b"held\n"
        return cls(process)

    async def let_go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


@pytest.fixture
async def held(tmp_path: Path, launch: Launch) -> AsyncIterator[tuple[Process, Holder]]:
    holder = await Holder.start(tmp_path / "data" / "series" / "series.duckdb")
    process = await launch(tmp_path / "data")
    yield process, holder
    await holder.let_go()


async def ask(url: str, path: str, method: str = "GET", **options: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession(headers=BEARER) as client,
        client.request(method, f"{url}{path}", **options) as got,
    ):
        return got.status, await got.json()


async def test_it_stays_up_says_why_and_recovers(held: tuple[Process, Holder]) -> None:
    process, holder = held
    line = await process.until("cannot be used")
    assert "Another process" in line
    assert (await ask(process.url, "/api/health"))[0] == 200
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "x" * 24,
    }
    queries = {"/api/readings": "?key=k&start=1&end=2", "/api/statistics": "?key=k&level=hour&start=1&end=2"}
    queries |= {"/api/energy": "?start=1&end=2&resolution=day", "/api/export": "?start=1&end=2"}
    queries |= {f"/api/completeness{of}": "?start=1&end=2" for of in ("", "/hours", "/entities")}
    for route in ROUTES:
        if route.data:
            path = route.path.replace("{id}", "any") + queries.get(route.path, "")
            status, body = await ask(process.url, path, route.method, headers=upgrade if route.socket else {})
            if path == "/api/status":  # it says how each store is
                assert (status, "Another process" in body["trouble"]) == (200, True)
                continue
            assert status == 503, path
            assert error_of(body)["code"] == "store_unavailable"
            assert "Another process" in error_of(body)["message"]
    await holder.let_go()
    await process.until("stores are open")
    assert (await ask(process.url, "/api/ready"))[0] == 200
    assert (await ask(process.url, "/api/status"))[0] == 200
    assert await process.stop() == 0
    said = [line for line in process.log if "cannot be used" in line]
    assert len(said) == 1  # once per outage


async def test_it_stops_in_order_while_it_waits(held: tuple[Process, Holder]) -> None:
    process, _ = held
    await process.until("cannot be used")
    assert await process.stop() == 0
    assert not any("Traceback" in line for line in process.log)


async def test_a_data_folder_that_cannot_be_made_is_waited_for_too(tmp_path: Path, launch: Launch) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    process = await launch(tmp_path / "data")
    await process.until("cannot be used")
    assert (await ask(process.url, "/api/health"))[0] == 200
    assert (await ask(process.url, "/api/ready"))[0] == 503
    (tmp_path / "data").unlink()
    await process.until("stores are open")
    assert (await ask(process.url, "/api/ready"))[0] == 200
    assert await process.stop() == 0

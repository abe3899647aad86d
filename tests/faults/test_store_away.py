"""The server runs but cannot store: it says so, Home Assistant's outbox holds, and it goes on by itself when it can."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.disk import disk
from tests.product.home import one_outage
from tests.product.load import Load, stored_twice
from tests.product.running import Product
from tests.product.saying import say
from tests.product.server import Server
from tests.product.verifying import nothing_missing, now_us

HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
UNAVAILABLE = 503

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Let another process hold a file of the store for the length of the context."""
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(path), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert await holder.stdout.readline() == b"held\n"
        yield
    finally:
        holder.stdin.close()
        await holder.wait()


async def unready(server: Server) -> dict[str, Any] | None:
    """Return why the server is not ready, None while it is."""
    status, body = await server.ask("/api/ready")
    if status != UNAVAILABLE:
        return None
    error: dict[str, Any] = body["error"]
    assert error["code"] == "store_unavailable"
    return error


async def test_locked_by_another_process(product: Product, load_of: Callable[..., Load]) -> None:
    server = product.server
    load = load_of(product)
    await load.announce(server)
    before, since_us = len(product.home.lines()), now_us()
    async with load.running():
        await asyncio.sleep(1)
        await server.stop()
        async with locked(server.data_path / "series" / "series.duckdb"):
            await server.start(ready=False)

            async def told() -> bool | None:
                error = await unready(server)
                return True if error is not None and "Another process" in error["message"] else None

            await server.until(told, "the server to say that another process has its store")
            assert await server.is_alive()
        await server.until(server.is_ready, "the server to recover", 40)
        await server.connected(60)
    await load.arrived(server)
    await one_outage(product.home, before, "No link")
    await nothing_missing(product.home, server, since_us)
    await server.stop()
    assert stored_twice(server) == []


async def test_no_space_left(
    start: Callable[..., Awaitable[Product]], load_of: Callable[..., Load], tmp_path: Path
) -> None:
    with disk(tmp_path / "disk") as small:
        product = await start(tmp_path / "disk" / "data")
        server = product.server
        load = load_of(product)
        await load.announce(server)
        before, since_us = len(product.home.lines()), now_us()
        async with load.running():
            await asyncio.sleep(1)
            small.fill(server)
            error = await server.until(lambda: unready(server), "the server to say that it has no space")
            assert "space" in error["message"] or "large" in error["message"], error
            await asyncio.sleep(3)
            assert await server.is_alive()
            small.free(server)
            await server.until(server.is_ready, "the server to recover", 40)
        await load.arrived(server)
        await one_outage(product.home, before, "Nothing is stored")
        say(f"The disk was {small.name}; the server said: {error['message']}")
        await nothing_missing(product.home, server, since_us)
        await server.stop()
        assert stored_twice(server) == []


async def test_a_folder_that_may_not_be_written_to(
    start: Callable[..., Awaitable[Product]], load_of: Callable[..., Load], tmp_path: Path
) -> None:
    with disk(tmp_path / "disk") as small:
        product = await start(tmp_path / "disk" / "data")
        server = product.server
        load = load_of(product)
        await load.announce(server)
        async with load.running():
            await asyncio.sleep(1)
            await server.stop()
            small.protect()
            await server.start(ready=False)

            async def said() -> bool | None:
                return "may not write" in ((await unready(server)) or {"message": ""})["message"] or None

            await server.until(said, "the server to say that it may not write")
            await asyncio.sleep(3)
            assert await server.is_alive()
            small.release()
            await server.until(server.is_ready, "the server to recover", 40)
            await server.connected(60)
        await load.arrived(server)
        await server.stop()
        assert stored_twice(server) == []

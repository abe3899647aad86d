"""A real server on real stores in a temporary folder."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from energy_server.api.core import STAGE
from energy_server.api.ingress import INGRESS
from energy_server.app import build, listen, now_us, runner_of
from energy_server.settings import Settings
from tests.server.serving import BEARER, TOKEN, Launch, Process, Running, Start


@pytest.fixture
def dashboard(tmp_path: Path) -> Path:
    """Return a small build of a dashboard."""
    folder = tmp_path / "dashboard"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text('<!doctype html><html><head><base href="./" /></head><body>home</body></html>')
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "assets" / "main-1a2b3c4d.js").write_text("plain()")
    (folder / "assets" / "main-1a2b3c4d.js.gz").write_bytes(b"not really gzip")
    (folder / "assets" / "main-1a2b3c4d.js.br").write_bytes(b"not really brotli")
    (tmp_path / "secret.txt").write_text("outside")
    return folder


@pytest.fixture
async def start(tmp_path: Path, dashboard: Path) -> AsyncIterator[Start]:
    """Return a function that starts a server; all are stopped at the end."""
    stopping: list[Callable[[], Awaitable[None]]] = []

    async def start_one(*, wait: bool = True, clock_us: Callable[[], int] = now_us, **settings: Any) -> Running:
        chosen = {
            "data_path": tmp_path / "data",
            "dashboard_path": dashboard,
            "token": SecretStr(TOKEN),
            "commit_interval_s": 0.05,
            "rollup_interval_s": 0.05,
            "host": "127.0.0.1",
            "port": 0,
            "ingress_port": 0,
            "ingress_peer": "127.0.0.1",
            **settings,
        }
        app = build(Settings.model_validate(chosen), clock_us)
        runner = runner_of(app, access_log=False)
        await runner.setup()
        stopping.append(runner.cleanup)
        url = await listen(runner, Settings.model_validate(chosen))
        client = aiohttp.ClientSession(headers=BEARER)
        stopping.append(client.close)
        if wait:
            async with asyncio.timeout(60):
                await app[STAGE].entered.wait()
        ingress_url = f"http://127.0.0.1:{app[INGRESS].port}"
        return Running(url, app[STAGE], client, chosen["data_path"], ingress_url, runner.cleanup)

    yield start_one
    for stop in reversed(stopping):
        await stop()


@pytest.fixture
async def server(start: Start) -> Running:
    """Return a running server."""
    return await start()


@pytest.fixture
async def launch() -> AsyncIterator[Launch]:
    """Return a function that starts a server as a process of its own; what still runs at the end is killed."""
    started: list[Process] = []

    async def launch_one(data_path: Path, **settings: str) -> Process:
        process = await Process.start(data_path, **settings)
        started.append(process)
        return process

    yield launch_one
    for process in started:
        await process.stop(signal.SIGKILL)

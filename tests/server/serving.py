"""A running server, as tests see it."""

import asyncio
import base64
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiohttp

from energy_server.api.core import Core, Stage

TOKEN = "a-token-that-only-the-tests-know"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(slots=True)
class Running:
    """A server that listens, and a client that knows the token."""

    url: str
    stage: Stage
    client: aiohttp.ClientSession
    data_path: Path
    ingress_url: str
    stop: Callable[[], Awaitable[None]]
    """Stop it before the test ends."""

    @property
    def core(self) -> Core:
        return self.stage.core()

    async def get(self, path: str, **query: Any) -> Any:
        """Return the answer to a request that succeeds."""
        async with self.client.get(f"{self.url}{path}", params=query) as response:
            body = await response.json()
            assert response.status == 200, body
            return body

    async def error(self, path: str, *, status: int, method: str = "GET", **query: Any) -> dict[str, Any]:
        """Return the error of a request that fails, which has the one error body."""
        async with self.client.request(method, f"{self.url}{path}", params=query) as response:
            assert response.status == status, await response.text()
            return error_of(await response.json())


def error_of(body: Any) -> dict[str, Any]:
    """Return the error of the one error body."""
    assert set(body) == {"error"}
    error = cast("dict[str, Any]", body["error"])
    assert set(error) == {"code", "message", "field"}
    assert isinstance(error["code"], str)
    assert error["code"]
    assert isinstance(error["message"], str)
    assert error["message"]
    return error


type Start = Callable[..., Awaitable[Running]]
type Launch = Callable[..., Awaitable[Process]]


@dataclass(slots=True)
class Process:
    """A server as a process of its own."""

    url: str
    process: asyncio.subprocess.Process
    log: list[str]

    @classmethod
    async def start(cls, data_path: Path, **settings: str) -> Process:
        """Start it, and wait until it listens."""
        named = {f"ENERGY_{name.upper()}": value for name, value in settings.items()}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ENERGY_")}
        fixed = {"ENERGY_TOKEN": TOKEN, "ENERGY_HOST": "127.0.0.1", "ENERGY_PORT": "0"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "energy_server", "--data-path", str(data_path)),
            env=clean | fixed | named,
            stderr=asyncio.subprocess.PIPE,
        )
        started = cls("", process, [])
        try:
            line = await started.until(" ready http://")
        except TimeoutError:
            await started.stop(signal.SIGKILL)
            raise
        started.url = line.rpartition(" ready ")[2].strip()
        return started

    async def until(self, text: str) -> str:
        """Return the first line of the log that has the text, as soon as there is one."""
        for said in self.log:
            if text in said:
                return said
        stderr = self.process.stderr
        assert stderr is not None
        async with asyncio.timeout(60):
            while line := (await stderr.readline()).decode():
                self.log.append(line)
                if text in line:
                    return line
            await self.process.wait()
        raise AssertionError("".join(self.log))

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it; return its exit status."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        stderr = self.process.stderr
        assert stderr is not None
        async with asyncio.timeout(60):
            self.log += (await stderr.read()).decode().splitlines(keepends=True)
            return await self.process.wait()


@asynccontextmanager
async def deaf(url: str, path: str) -> AsyncIterator[asyncio.StreamReader]:
    """Open a WebSocket whose owner does not read, with a small buffer."""
    host, port = url.removeprefix("http://").split(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    raw.settimeout(0)
    await asyncio.get_running_loop().sock_connect(raw, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=raw, limit=4_096)
    key = base64.b64encode(os.urandom(16)).decode()
    head = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {BEARER['Authorization']}\r\n"
        f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    writer.write(head.encode())
    await reader.readuntil(b"\r\n\r\n")
    yield reader
    writer.close()

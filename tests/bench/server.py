"""A real `energy-server serve` process for a bench.

In:   a data folder.
Out:  a Server that answers /api/ready, stopped when the context ends. A server that does not get ready raises
      `ServerFailedError` with the end of its log.
"""

import asyncio
import contextlib
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

TOKEN = "a-token-of-the-benches-alone"
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 30.0
QUIET_S = 8.0
QUIET_SHARE = 0.02
QUIET_WITHIN_S = 300.0
ASK_EVERY_S = 0.005
LOG_SHOWN_CHARACTERS = 3_000


class ServerFailedError(RuntimeError):
    """The server under measurement did not start or did not stop as it should."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `ready_s` is the time from the start of the process to the first 200 of /api/ready."""

    url: str
    process: asyncio.subprocess.Process
    ready_s: float

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that let a client in."""
        return {"Authorization": f"Bearer {TOKEN}"}

    def memory_mb(self) -> float:
        """Return the resident memory, in MB of 1,000,000 bytes."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    async def quiet(self) -> None:
        """Wait until it has nothing more to do: it used next to no processor for `QUIET_S`."""
        async with asyncio.timeout(QUIET_WITHIN_S):
            used_s = -1.0
            while (now_s := self._used_s()) - used_s > QUIET_SHARE * QUIET_S:
                used_s = now_s
                await asyncio.sleep(QUIET_S)

    def _used_s(self) -> float:
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)


def free_port() -> int:
    """Return a TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _log(data_path: Path) -> Path:
    data_path.mkdir(parents=True, exist_ok=True)
    return data_path.parent / f"{data_path.name}.log"


def _end(log: Path) -> str:
    return log.read_text(errors="replace")[-LOG_SHOWN_CHARACTERS:]


@contextlib.asynccontextmanager
async def serving(data_path: Path, **settings: str) -> AsyncIterator[Server]:
    """Run a server on the folder."""
    port = free_port()
    named = {f"ENERGY_{name.upper()}": value for name, value in settings.items()}
    environment = {
        **os.environ,
        "ENERGY_TOKEN": TOKEN,
        "ENERGY_HOST": "127.0.0.1",
        "ENERGY_PORT": str(port),
        "ENERGY_DATA_PATH": str(data_path),
        **named,
    }
    log = _log(data_path)
    with log.open("wb") as output:
        started_s = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "energy_server", "serve", env=environment, stdout=output, stderr=output
        )
    try:
        await _ready(process, f"http://127.0.0.1:{port}", log)
        yield Server(f"http://127.0.0.1:{port}", process, time.monotonic() - started_s)
    finally:
        await _stop(process, log)


async def _ready(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        until_s = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until_s and process.returncode is None:
            with contextlib.suppress(aiohttp.ClientConnectionError, TimeoutError):
                async with session.get(f"{url}/api/ready") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(ASK_EVERY_S)
    raise ServerFailedError(f"not ready:\n{_end(log)}")


async def _stop(process: asyncio.subprocess.Process, log: Path) -> None:
    if process.returncode is not None:
        raise ServerFailedError(f"ended by itself:\n{_end(log)}")
    process.terminate()
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        raise ServerFailedError("did not stop on SIGTERM") from None

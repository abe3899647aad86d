"""The command script/run as a user sees it: a first start, Ctrl-C, a second start, a death."""

import asyncio
import os
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
import pytest

from dev.processes import FORGOTTEN, ROOT, free_port

PATIENCE_S = 150.0


@dataclass(slots=True)
class Run:
    """A running `python -m dev.run`."""

    process: asyncio.subprocess.Process
    text: str = ""

    async def until(self, pattern: str) -> re.Match[str]:
        """Read what it prints until the pattern is there."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while not (match := re.search(pattern, self.text)):
                line = await self.process.stdout.readline()
                assert line, f"it ended: {self.text}"
                self.text += line.decode()
        return match

    async def end(self) -> int:
        """Read the rest and return the exit status."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            self.text += (await self.process.stdout.read()).decode()
            return await self.process.wait()

    @property
    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@asynccontextmanager
async def running(state: Path, *options: str) -> AsyncIterator[Run]:
    environment = {key: value for key, value in os.environ.items() if key not in FORGOTTEN}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "dev.run",
        *options,
        cwd=ROOT,
        env={**environment, "ENERGY_STATE": str(state)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Run(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def readings(address: str) -> int:
    """Return how many readings the server has."""
    url, token = re.fullmatch(r"(.*)/#token=(.*)", address).groups()  # type: ignore[union-attr]
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(f"{url}/api/status") as answer:
        answer.raise_for_status()
        count: int = (await answer.json())["storage"]["readings"]
        return count


def hours_of_history(state: Path) -> int:
    """Return for how many hours Home Assistant has statistics of the grid's import, the anchor left out."""
    with closing(sqlite3.connect(f"file:{state}/home_assistant/home-assistant_v2.db?mode=ro", uri=True)) as database:
        query = (
            "select count(*) from statistics join statistics_meta on statistics_meta.id = metadata_id "
            "where statistic_id = 'sensor.home_grid_import'"
        )
        (count,) = database.execute(query).fetchone()
        return int(count) - 1


@pytest.mark.timeout(400)
async def test_the_demo_starts_stops_and_goes_on(tmp_path: Path) -> None:
    ports = ("--port", str(free_port(28_765)), "--ha-port", str(free_port(28_123)))
    async with running(tmp_path, *ports, "--history-days", "10") as first:
        address = (await first.until(r"Dashboard +(\S+)"))[1]
        children = first.children
        assert len(children) == 2
        assert hours_of_history(tmp_path) >= 10 * 24
        counted = await readings(address)
        first.process.send_signal(signal.SIGINT)
        assert await first.end() == 0
    stopped = [first.text.index(f"{name} is stopped") for name in ("Home Assistant", "The server")]
    assert stopped == sorted(stopped)
    assert not psutil.wait_procs(children, timeout=1)[1]

    async with running(tmp_path, *ports) as second:
        assert (await second.until(r"Dashboard +(\S+)"))[1] == address
        assert "History of 10 days" in first.text
        assert "History" not in second.text
        assert await readings(address) > counted
        home_assistant = next(child for child in second.children if "hass" in " ".join(child.cmdline()))
        children = second.children
        home_assistant.kill()
        assert await second.end() == 1
    assert "Home Assistant ended by itself (exit status -9)" in second.text
    assert not psutil.wait_procs(children, timeout=1)[1]


@pytest.mark.timeout(120)
async def test_the_server_alone_says_what_to_enter_and_leaves_a_busy_port_alone(tmp_path: Path) -> None:
    port = free_port(28_900)
    async with (
        await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", port),
        running(tmp_path, "--server", "--port", str(port)) as run,
    ):
        await run.until(r"Token +\S+")
        match = await run.until(r"Address +http://[\d.]+:(\d+)")
        assert int(match[1]) > port
        assert f"Port {port} is in use" in run.text
        (child,) = run.children
        run.process.terminate()
        assert await run.end() == 0
    assert not psutil.pid_exists(child.pid)

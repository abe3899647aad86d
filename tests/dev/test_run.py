"""The command script/run as a user sees it: a first start, Ctrl-C, a second start, parts that stop, start and die."""

import asyncio
import os
import re
import shlex
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
SERVER = "energy_server"
HOME_ASSISTANT = "hass"


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

    def child(self, word: str) -> psutil.Process:
        """Return the one whose command line has the word."""
        (found,) = [child for child in self.children if word in " ".join(child.cmdline())]
        return found


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


async def told(command: str) -> tuple[int, str]:
    """Type a command line in a second terminal; returns its exit status and what it printed."""
    environment = {key: value for key, value in os.environ.items() if key not in FORGOTTEN}
    process = await asyncio.create_subprocess_shell(
        command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(PATIENCE_S):
        text, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, text.decode().strip()


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
        await stops_and_starts_the_server(second, tmp_path, address)
        await outlives_its_parts(second)
        children = second.children
        assert len(children) == 1
        second.process.send_signal(signal.SIGINT)
        assert await second.end() == 0
    assert not psutil.wait_procs(children, timeout=1)[1]


def typed(state: Path, what: str, part: str) -> str:
    return f"ENERGY_STATE={shlex.quote(str(state))} script/run {what} {part}"


async def stops_and_starts_the_server(run: Run, state: Path, address: str) -> None:
    """Do so by commands from outside; also what they say where there is nothing to do."""
    counted = await readings(address)
    process = run.child(SERVER)
    stop, start = typed(state, "stop", "server"), typed(state, "start", "server")
    assert await told(stop) == (0, f"The server is stopped. Start it again: {start}")
    assert not psutil.pid_exists(process.pid)
    assert run.child(HOME_ASSISTANT).is_running()
    assert await told(stop) == (1, f"The server is stopped already. Start it: {start}")
    assert await told(start) == (0, "The server runs again.")
    assert await readings(address) >= counted
    assert await told(start) == (1, f"The server runs already. Stop it: {stop}")
    unknown = "The demo has no part 'questdb'. Its parts: server, home_assistant."
    assert await told(typed(state, "stop", "questdb")) == (1, unknown)


async def outlives_its_parts(run: Run) -> None:
    """Kill one after the other; one is started again by the very command that is shown, one stays away."""
    run.child(SERVER).kill()
    again = (
        await run.until(r"(?s)The server ended by itself \(exit status -9\).*second terminal: (ENERGY_STATE=[^\n]+)")
    )[1]
    assert "The stores are open" in run.text
    run.child(HOME_ASSISTANT).kill()
    await run.until(r"Home Assistant ended by itself \(exit status -9\)")
    assert not run.children
    assert await told(again) == (0, "The server runs again.")


@pytest.mark.timeout(400)
async def test_the_death_of_a_part_ends_a_start(tmp_path: Path) -> None:
    ports = ("--port", str(free_port(28_765)), "--ha-port", str(free_port(28_123)))
    async with running(tmp_path, *ports, "--history-days", "10") as run:
        await run.until("The server")
        run.child(SERVER).kill()
        assert await run.end() == 1
    assert "The server ended by itself (exit status -9)" in run.text
    again = f"ENERGY_STATE={tmp_path} script/run"
    assert f"Run {again} again to go on where it stopped, or {again} --fresh to start over." in run.text


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

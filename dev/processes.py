"""Start programs, know when they die, and leave none behind.

In:   a command, its environment and the file for what it prints.
Out:  a `Process` in a process group of its own, so that Ctrl-C in a terminal reaches us alone and we stop things in
      order. Fails with `ProcessDiedError`, which carries the last lines that the program printed.
"""

import asyncio
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
LEASH = Path(__file__).resolve().parent / "leash.py"
# What would make our Python, or Home Assistant's start, another one.
FORGOTTEN = ("PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PYTHONWARNINGS")
LAST_LINES = 15
PORTS_TRIED = 50


class ProcessDiedError(Exception):
    """A program ended that should have run on."""

    def __init__(self, process: Process) -> None:
        """Say which, and keep the last lines of its log."""
        self.process = process
        self.lines = process.last_lines()
        super().__init__(f"{process.name} ended by itself (exit status {process.exit_code})")

    @property
    def report(self) -> str:
        """Which, and its last lines."""
        return "\n".join((f"{self}. Its last lines, of {self.process.log}:", "", *(f"  {line}" for line in self.lines)))


class AlreadyRunningError(Exception):
    """Another run uses the same state folder."""


class NoPortError(Exception):
    """No port is free."""


class Process:
    """A running program."""

    def __init__(self, name: str, log: Path, process: asyncio.subprocess.Process) -> None:
        """Made by `start`."""
        self.name = name
        self.log = log
        self._process = process
        self._stopping = False

    @classmethod
    async def start(
        cls, name: str, command: Sequence[str | Path], *, log: Path, environment: Mapping[str, str] | None = None
    ) -> Self:
        """Start the command; what it prints is appended to the log."""
        log.parent.mkdir(parents=True, exist_ok=True)
        inherited = {key: value for key, value in os.environ.items() if key not in FORGOTTEN}
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                LEASH,
                str(os.getpid()),
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env={**inherited, "PYTHONUNBUFFERED": "1", **(environment or {})},
                start_new_session=True,
            )
        return cls(name, log, process)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit status, None while it runs."""
        return self._process.returncode

    def last_lines(self, count: int = LAST_LINES) -> list[str]:
        """Return the last lines that it printed."""
        return self.log.read_text(errors="replace").splitlines()[-count:] if self.log.exists() else []

    async def watch(self) -> None:
        """Wait for its end; raises ProcessDiedError unless `stop` or `kill` was called."""
        await self._process.wait()
        if not self._stopping:
            raise ProcessDiedError(self)

    async def stop(self, patience_s: float = 20.0) -> int:
        """Ask it to end (SIGTERM); kill it and all that it started when it does not. Returns the exit status."""
        self._stopping = True
        self._signal(signal.SIGTERM)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), patience_s)
        finally:  # also when we are cancelled while waiting: nothing stays behind
            self._signal(signal.SIGKILL, group=True)
        return await self._process.wait()

    async def kill(self) -> None:
        """End it and all that it started, at once (SIGKILL)."""
        self._stopping = True
        self._signal(signal.SIGKILL, group=True)
        await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        self._signal(number)

    def pause(self) -> None:
        """Let it stand still, with all that it started (SIGSTOP)."""
        self._signal(signal.SIGSTOP, group=True)

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        self._signal(signal.SIGCONT, group=True)

    def _signal(self, number: signal.Signals, *, group: bool = False) -> None:
        with suppress(ProcessLookupError):
            if group:
                os.killpg(self.pid, number)
            elif self.exit_code is None:
                os.kill(self.pid, number)


async def while_running[T](processes: Sequence[Process], work: Awaitable[T]) -> T:
    """Return the result of the work, or raise ProcessDiedError as soon as one of the programs dies."""
    task = asyncio.ensure_future(work)
    watching = [asyncio.ensure_future(process.watch()) for process in processes]
    try:
        await asyncio.wait((task, *watching), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            for watch in watching:
                if watch.done():
                    watch.result()
        return await task
    finally:
        for pending in (task, *watching):
            pending.cancel()
        await asyncio.gather(task, *watching, return_exceptions=True)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Say whether one could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(wanted: int, host: str = "127.0.0.1", taken: Sequence[int] = ()) -> int:
    """Return the wanted port, or the next one that is free."""
    for port in range(wanted, min(wanted + PORTS_TRIED, 65_536)):
        if port not in taken and is_free(port, host):
            return port
    raise NoPortError(f"No port from {wanted} to {wanted + PORTS_TRIED} is free.")


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder for this run; raises AlreadyRunningError where another one does."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            file.seek(0)
            raise AlreadyRunningError(f"Process {file.read().strip() or '?'} runs already with {folder}.") from err
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield

"""The parts of the demo: each may be stopped, started, and end by itself while the others run on.

In:   for each part its name and how it is started; then requests.
Out:  processes. Starting one fails with `ProcessDiedError`, or with one of NOT_STARTED.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from .control import Answer, Request
from .ha import HomeAssistantError
from .processes import Process, ProcessDiedError, while_running
from .screen import Screen
from .server import ServerNotReadyError
from .server_programs import MissingProgramError
from .servers import ServerSilentError

NOT_STARTED = (HomeAssistantError, ServerNotReadyError, MissingProgramError, ServerSilentError)


class PartError(Exception):
    """It was not done; the message says why, and what can be done."""


@dataclass(slots=True)
class Part:
    """A part. `restart` is the exit status by which it asks to be started again."""

    name: str
    title: str
    begin: Callable[[], Awaitable[Process]]
    restart: int | None = None
    process: Process | None = None


class Parts:
    """All of them."""

    def __init__(self, parts: Sequence[Part], screen: Screen, command_line: Callable[[str, str], str]) -> None:
        """Take them in the order in which they are started; none runs yet. `command_line` is for messages."""
        self._parts = {part.name: part for part in parts}
        self._screen = screen
        self._command_line = command_line
        self._acts = {"stop": self._stop, "start": self._start}

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        return tuple(self._parts)

    @property
    def processes(self) -> list[Process]:
        """What runs, in order."""
        return [part.process for part in self._parts.values() if part.process is not None]

    async def begin(self, name: str) -> None:
        """Start a part; the death of one that runs already ends that, too."""
        part = self._parts[name]
        await while_running(self.processes, self._begin(part))

    async def _begin(self, part: Part) -> None:
        part.process = await part.begin()

    async def watch(self, requests: asyncio.Queue[Request]) -> None:
        """Do what is asked for, and say what ended by itself, until cancelled."""
        while True:
            try:
                request = await while_running(self.processes, requests.get())
            except ProcessDiedError as err:
                await self._ended(err)
            else:
                request.answer.set_result(await self._answer(request))

    async def _answer(self, request: Request) -> Answer:
        try:
            return Answer(done=True, says=await self._act(request))
        except PartError as err:
            return Answer(done=False, says=str(err))

    async def _act(self, request: Request) -> str:
        part = self._parts.get(request.part)
        if part is None:
            raise PartError(f"The demo has no part {request.part!r}. Its parts: {', '.join(self._parts)}.")
        return await self._acts[request.what](part)

    async def _stop(self, part: Part) -> str:
        again = self._command_line("start", part.name)
        if part.process is None:
            raise PartError(f"{part.title} is stopped already. Start it: {again}")
        await self._end(part)
        return f"{part.title} is stopped. Start it again: {again}"

    async def _start(self, part: Part) -> str:
        if part.process is not None:
            raise PartError(f"{part.title} runs already. Stop it: {self._command_line('stop', part.name)}")
        await self._begin_again(part, f"{part.title} is started")
        return f"{part.title} runs again."

    async def _begin_again(self, part: Part, why: str) -> None:
        try:
            with self._screen.step(why):
                await self._begin(part)
        except ProcessDiedError as err:
            raise PartError(err.report) from err
        except NOT_STARTED as err:
            raise PartError(f"{part.title} could not be started: {err}") from err

    async def _ended(self, error: ProcessDiedError) -> None:
        part = next(part for part in self._parts.values() if part.process is error.process)
        await error.process.kill()  # what it had started
        part.process = None
        if error.process.exit_code == part.restart:
            try:
                await self._begin_again(part, f"{part.title} is started again, as it asked for")
            except PartError as err:
                self._lament(part, str(err))
        else:
            self._lament(part, error.report)

    def _lament(self, part: Part, what: str) -> None:
        self._screen.fail(what)
        again = self._command_line("start", part.name)
        self._screen.say(f"\nThe rest runs on. To start it again, in a second terminal: [bold]{again}[/]\n")

    async def _end(self, part: Part) -> None:
        if part.process is not None:
            with self._screen.step(f"{part.title} is stopped"):
                await part.process.stop()
            part.process = None

    async def stop(self) -> None:
        """Stop all of them, the last one first."""
        for part in reversed(self._parts.values()):
            await self._end(part)

    async def kill(self) -> None:
        """Stop at once."""
        for process in reversed(self.processes):
            await process.kill()

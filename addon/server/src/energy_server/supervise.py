"""Keep background tasks running: an unknown failure is logged once, remembered for Status, and the task restarts.

In:   a coroutine function that runs until it is cancelled.
Out:  nothing; only cancelling ends it. A wait doubles from 1 s to 60 s and starts over after a run that lasted longer.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

from energy_server.api.core import Problem
from energy_server.errors import StoreUnavailableError

_LOGGER = logging.getLogger(__name__)

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
RECOVERED_AFTER_US = 30_000_000
"""A task that ran this long since it failed is well again."""
TOLD_FOR_US = 24 * 3_600_000_000
"""How long one that is well again is told of."""

type Sleep = Callable[[float], Awaitable[None]]


class Supervisor:
    """Runs tasks, and remembers the newest failure of each."""

    def __init__(self, clock_us: Callable[[], int], sleep: Sleep = asyncio.sleep) -> None:
        self._clock_us = clock_us
        self._sleep = sleep
        self._problems: dict[str, Problem] = {}
        self._begun_us: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def problems(self) -> list[Problem]:
        """Return the last failure of each task; of those that are well again since, the ones of the last day."""
        now_us = self._clock_us()
        told = [replace(one, recovered_us=self._recovered_us(one, now_us)) for one in self._problems.values()]
        return [one for one in told if one.recovered_us is None or now_us - one.recovered_us < TOLD_FOR_US]

    def _recovered_us(self, problem: Problem, now_us: int) -> int | None:
        begun_us = self._begun_us[problem.task]
        return begun_us if begun_us >= problem.at_us and now_us - begun_us >= RECOVERED_AFTER_US else None

    def start(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a task until `stop`."""
        self._tasks.append(asyncio.create_task(self._keep(name, run), name=f"keep {name}"))

    async def stop(self) -> None:
        """Cancel all tasks and wait until they are gone."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _keep(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            started_us = self._begun_us[name] = self._clock_us()
            error = await _outcome(asyncio.create_task(run(), name=name))
            if error is None:
                return
            self._failed(name, error)
            if self._clock_us() - started_us > wait_s * 1_000_000:
                wait_s = FIRST_WAIT_S
            await self._sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    def _failed(self, name: str, error: BaseException) -> None:
        earlier = self._problems.get(name)
        message = f"{type(error).__name__}: {error}"
        if earlier is None or earlier.message != message:
            if isinstance(error, StoreUnavailableError):
                _LOGGER.warning("Task %s cannot work now and is started again: %s", name, error)
            else:
                _LOGGER.error("Task %s failed and is started again", name, exc_info=error)
        times = 1 if earlier is None else earlier.times + 1
        self._problems[name] = Problem(name, message, self._clock_us(), times)


async def _outcome(task: asyncio.Task[None]) -> BaseException | None:
    """Return what ended the task, None if it came to its end; cancelling this cancels the task first."""
    try:
        await asyncio.wait({task})
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    return None if task.cancelled() else task.exception()

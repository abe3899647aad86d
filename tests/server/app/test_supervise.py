"""Background tasks survive their failures, visibly."""

import asyncio
import logging

import pytest

from energy_server.supervise import Supervisor


class Clock:
    now_us = 0

    def __call__(self) -> int:
        return self.now_us


async def test_a_task_that_fails_is_logged_once_shown_and_started_again(caplog: pytest.LogCaptureFixture) -> None:
    waits: list[float] = []
    recovered = asyncio.Event()

    async def sleep(wait_s: float) -> None:
        waits.append(wait_s)

    async def run() -> None:
        if len(waits) < 8:
            raise RuntimeError("the disk is upside down")
        recovered.set()
        await asyncio.Event().wait()

    clock = Clock()
    supervisor = Supervisor(clock, sleep)
    with caplog.at_level(logging.INFO):
        supervisor.start("rollup", run)
        await recovered.wait()
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info
    (problem,) = supervisor.problems()
    assert (problem.task, problem.times) == ("rollup", 8)
    assert "upside down" in problem.message
    assert problem.recovered_us is None
    clock.now_us += 40_000_000
    assert [problem.recovered_us for problem in supervisor.problems()] == [0]
    clock.now_us += 86_400_000_000
    assert supervisor.problems() == []
    await supervisor.stop()


async def test_a_task_that_ends_is_left_alone() -> None:
    runs = 0
    ended = asyncio.Event()

    async def run() -> None:
        nonlocal runs
        runs += 1
        ended.set()

    supervisor = Supervisor(Clock())
    supervisor.start("once", run)
    await ended.wait()
    await supervisor.stop()
    assert runs == 1
    assert supervisor.problems() == []


async def test_stop_waits_for_the_task_to_clean_up() -> None:
    started, cleaned = asyncio.Event(), False

    async def run() -> None:
        nonlocal cleaned
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned = True

    supervisor = Supervisor(Clock())
    supervisor.start("slow", run)
    await started.wait()
    await supervisor.stop()
    assert cleaned

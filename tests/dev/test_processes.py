"""Programs that are started, die, and are stopped."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import psutil
import pytest

from dev.ha import until
from dev.processes import ROOT, AlreadyRunningError, Process, ProcessDiedError, free_port, only_one, while_running

FOREVER = "import signal, sys; print('up', flush=True); signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\nwhile 1: signal.pause()"
)
WITH_CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', {!r}])"


async def started(tmp_path: Path, code: str, name: str = "It") -> Process:
    """Start a program and wait until it has printed something."""
    process = await Process.start(name, (sys.executable, "-c", code), log=tmp_path / f"{name}.log")
    await printed(process.log)
    return process


def has_text(log: Path) -> bool:
    return log.exists() and bool(log.read_text())


async def printed(log: Path) -> None:
    """Wait until a program has printed something."""

    async def look() -> bool | None:
        return True if has_text(log) else None

    await until(look, "a first line", 20)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_a_program_that_is_asked_to_end_ends(tmp_path: Path) -> None:
    process = await started(tmp_path, FOREVER)
    assert await process.stop() == -signal.SIGTERM
    assert gone(process.pid)


async def test_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    process = await started(tmp_path, STUBBORN)
    assert await process.stop(patience_s=0.2) == -signal.SIGKILL


async def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    process = await started(tmp_path, WITH_CHILD.format(STUBBORN))
    (child,) = psutil.Process(process.pid).children()
    await process.stop(patience_s=5)
    child.wait(5)


async def test_a_death_is_told_with_the_last_lines(tmp_path: Path) -> None:
    process = await Process.start(
        "It", (sys.executable, "-c", "print('no disk'); raise SystemExit(3)"), log=tmp_path / "log"
    )
    with pytest.raises(ProcessDiedError, match="exit status 3") as caught:
        await while_running([process], asyncio.Event().wait())
    assert caught.value.lines == ["no disk"]


async def test_work_goes_on_while_everything_runs(tmp_path: Path) -> None:
    process = await started(tmp_path, FOREVER)
    assert await while_running([process], asyncio.sleep(0, "done")) == "done"
    await process.stop()


async def test_programs_end_when_the_one_that_started_them_is_killed(tmp_path: Path) -> None:
    code = f"""
import asyncio
from pathlib import Path
from dev.ha import until
from dev.processes import Process
import sys
async def main():
    process = await Process.start("It", (sys.executable, "-c", {FOREVER!r}), log=Path({str(tmp_path)!r}) / "child.log")
    print(process.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    assert parent.stdout is not None
    child = psutil.Process(int(await parent.stdout.readline()))
    await printed(tmp_path / "child.log")
    parent.kill()
    await parent.wait()
    await asyncio.to_thread(psutil.wait_procs, [child], 10)
    assert gone(child.pid)


async def test_the_environment_of_the_caller_does_not_change_our_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    process = await Process.start(
        "It",
        (sys.executable, "-c", "import os; print(os.environ.get('PYTHONDONTWRITEBYTECODE'), os.environ['GIVEN'])"),
        log=tmp_path / "log",
        environment={"GIVEN": "this"},
    )
    with pytest.raises(ProcessDiedError):
        await process.watch()
    assert process.last_lines() == ["None this"]


def test_a_port_in_use_gives_the_next_one() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert free_port(port) > port
        assert free_port(port + 1, taken=[port + 1]) > port + 1


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(AlreadyRunningError, match=str(os.getpid())), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass

"""Find the machine's container engine, or set one up.

In:   the machine.
Out:  an `Engine` that has the images which addon/Dockerfile starts from: Docker or podman with the official ones;
      where there is no engine, or no registry to fetch from, podman with stand-ins (`standin.py`). Fails with
      `EngineError`, which says what to install.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from dev.containers.config import bases, databases, full
from dev.containers.engine import Engine, EngineError, call
from dev.containers.podman import COMPOSE, has_systemd, podman_environment, socket_of
from dev.containers.standin import set_up, set_up_databases

FETCHED_WITHIN_S = 600.0


async def _with(engine: Engine, names: Sequence[str]) -> Engine:
    """Return the engine once it has these images; raises EngineError where it cannot fetch one."""
    for name in names:
        try:
            await engine.run("image", "inspect", full(name))
        except EngineError:
            await engine.run("pull", full(name), within_s=FETCHED_WITHIN_S)
    return engine


async def _docker() -> Engine:
    version = await call("docker", "version", "--format", "{{.Server.Version}}")
    await call("docker", "compose", "version")
    return await _with(Engine(f"Docker {version.strip()}", "docker", ("docker", "compose")), bases())


async def _podman(folder: Path) -> Engine:
    version = await call("podman", "version", "--format", "{{.Client.Version}}")
    engine = Engine(
        f"podman {version.strip()}",
        "podman",
        (str(COMPOSE),),
        environment=podman_environment(folder),
        build_options=("--format", "docker"),
        socket=socket_of(folder),
        checks_health=has_systemd(),
    )
    return await _with(engine, bases())


async def find(folder: Path) -> Engine:
    """Return an engine; what it needs is kept in the folder."""
    reasons = []
    for command, look in (("docker", _docker), ("podman", lambda: _podman(folder))):
        if shutil.which(command) is None:
            reasons.append(f"{command} is not installed")
            continue
        try:
            return await look()
        except EngineError as err:
            reasons.append(f"{command}: {str(err).strip().splitlines()[-1]}")
    print("  no engine with the official images:", *reasons, sep="\n    ", file=sys.stderr, flush=True)
    return await set_up(folder)


async def supply(engine: Engine, folder: Path) -> None:
    """Let an engine have the images of databases too."""
    await (set_up_databases(engine, folder) if engine.stands_in else _with(engine, databases()))

"""Podman with stand-ins for the official images, where neither an engine nor an image registry can be reached.

In:   a Debian machine, its package mirror, root.
Out:  an `Engine` with images and networks of its own, all below one folder, and images under the exact names that
      addon/Dockerfile and compose.yaml use; they are made once. Fails with `EngineError`.

The one for Python is a Debian root that has the same Python from its own packages; the others are made on it by
`standins/*.Dockerfile`.
"""

import asyncio
import hashlib
import os
import re
import shutil
import sys
import time
from pathlib import Path

from dev.containers.config import databases, full
from dev.containers.engine import Engine, EngineError, call
from dev.containers.podman import COMPOSE, podman_environment, socket_of
from dev.processes import ROOT
from dev.server_programs import MissingProgramError, mongod, questdb

STANDINS = Path(__file__).resolve().parent / "standins"
PACKAGES = ("podman", "buildah", "runc", "debootstrap", "netavark", "aardvark-dns", "iptables", "uidmap")
COMMANDS = ("podman", "buildah", "runc", "debootstrap", "iptables")
SUITE = "forky"
ROOT_PACKAGES = "ca-certificates,libatomic1,python3.14,python3.14-venv"
APT = Path("/etc/apt")
MIRROR = re.compile(r"^(?:deb (?:\[[^]]*\] )?|URIs: )(http\S+/debian)/?(?:\s|$)", re.MULTILINE)
DEFAULT_MIRROR = "http://deb.debian.org/debian"
LABEL = "energy.recipe"
MADE_WITHIN_S = 900.0

CONTAINERS_CONF = """[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
"""
STORAGE_CONF = """[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""


PYTHON = full("python:3.14-slim-trixie")
NODE = full("node:24-trixie-slim")
MADE = {"node": "node.Dockerfile", "questdb": "questdb.Dockerfile", "mongo": "mongo.Dockerfile"}
"""The Dockerfile of each image that is made on the one for Python, by the last part of its name."""


def mirror() -> str:
    """Return the Debian mirror of this machine."""
    for path in (APT / "sources.list", *sorted((APT / "sources.list.d").glob("*"))):
        if path.is_file() and (found := MIRROR.search(path.read_text(errors="replace"))):
            return found[1]
    return DEFAULT_MIRROR


async def _install() -> None:
    if all(shutil.which(command) for command in COMMANDS):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise EngineError(
            "Docker (with Compose), or podman, or a Debian machine and root are needed. "
            "Install Docker: https://docs.docker.com/engine/install/"
        )
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    await call("apt-get", "-qq", "update", environment=quiet, within_s=MADE_WITHIN_S)
    await call("apt-get", "-qq", "-y", "install", *PACKAGES, environment=quiet, within_s=MADE_WITHIN_S)


def _engine(folder: Path) -> Engine:
    folder.mkdir(parents=True, exist_ok=True)
    environment = podman_environment(folder)
    for name, text in (("containers.conf", CONTAINERS_CONF), ("storage.conf", STORAGE_CONF)):
        (folder / name).write_text(text.format(folder=folder))
    environment["CONTAINERS_CONF"] = str(folder / "containers.conf")
    environment["CONTAINERS_STORAGE_CONF"] = str(folder / "storage.conf")
    return Engine(
        "podman on stand-in images",
        "podman",
        (str(COMPOSE),),
        environment=environment,
        build_options=("--isolation", "chroot", "--pull=never", "--layers", "--format", "docker"),
        socket=socket_of(folder),
        checks_health=False,
    )


def _recipe(*parts: Path | str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
    return digest.hexdigest()[:16]


async def _is_there(engine: Engine, image: str, recipe: str) -> bool:
    shown = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    try:
        return (await engine.run("image", "inspect", "--format", shown, image)).strip() == recipe
    except EngineError:
        return False


async def _make_python(engine: Engine, folder: Path) -> str:
    """Make the root, and an image of it; returns the fingerprint of how."""
    finish = STANDINS / "python.sh"
    recipe = _recipe(finish, SUITE, ROOT_PACKAGES)
    if await _is_there(engine, PYTHON, recipe):
        return recipe
    root = folder / "root"
    shutil.rmtree(root, ignore_errors=True)
    await call(
        *("nice", "-n", "10", "debootstrap", "--variant=minbase", f"--include={ROOT_PACKAGES}"),
        *(SUITE, root, mirror(), "sid"),
        within_s=MADE_WITHIN_S,
    )
    await call(finish, root)
    archive = folder / "root.tar"
    await call("tar", "-C", root, "-cf", archive, ".")
    await engine.run("import", "--quiet", "--change", f"LABEL {LABEL}={recipe}", archive, PYTHON)
    archive.unlink()
    shutil.rmtree(root)
    return recipe


async def _context(folder: Path) -> Path:
    """Return a folder with all that a Dockerfile of a stand-in may copy."""
    context = folder / "context"
    context.mkdir(exist_ok=True)
    try:
        server, database = await mongod(_say), await questdb(_say)
    except MissingProgramError as err:
        raise EngineError(str(err)) from err
    jar = database.command[database.command.index("-cp") + 1]
    for name, source in (("mongod", Path(server.command[0])), ("questdb.jar", Path(jar))):
        await asyncio.to_thread(shutil.copy, source, context / name)
    for path in (ROOT / "requirements" / "node.txt", *STANDINS.glob("*.sh")):
        await asyncio.to_thread(shutil.copy, path, context)
    return context


async def _make(engine: Engine, folder: Path, name: str, base: str) -> None:
    """Make a stand-in on the one for Python, unless it is there."""
    parts = name.rpartition(":")[0].rpartition("/")
    dockerfile = STANDINS / MADE[parts[2]]
    recipe = _recipe(base, dockerfile, *sorted(STANDINS.glob(f"{dockerfile.stem}.sh")))
    if await _is_there(engine, name, recipe):
        return
    options: tuple[str | Path, ...] = (*engine.build_options, "--label", f"{LABEL}={recipe}", "--file", dockerfile)
    command = ("nice", "-n", "10", "podman", "build", *options, "--tag", name, await _context(folder))
    await call(*command, environment=engine.environment, within_s=MADE_WITHIN_S)


async def set_up(folder: Path) -> Engine:
    """Return an engine that has every stand-in."""
    await _install()
    engine = _engine(folder)
    started_s = time.monotonic()
    base = await _make_python(engine, folder)
    for name in (NODE, *(full(name) for name in databases())):
        await _make(engine, folder, name, base)
    _say(f"stand-in images are there ({time.monotonic() - started_s:.0f} s)")
    return engine


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)

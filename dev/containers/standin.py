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
from collections.abc import Sequence
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
    """Return the Debian mirror of this machine. Raises EngineError where its apt names none."""
    for path in (APT / "sources.list", *sorted((APT / "sources.list.d").glob("*"))):
        if path.is_file() and (found := MIRROR.search(path.read_text(errors="replace"))):
            return found[1]
    raise EngineError(f"No Debian mirror is named in {APT}: stand-in images are made of the machine's own.")


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
        stands_in=True,
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


def _python_recipe() -> str:
    return _recipe(STANDINS / "python.sh", SUITE, ROOT_PACKAGES)


async def _make_python(engine: Engine, folder: Path) -> None:
    """Make the root, and an image of it, unless they are there."""
    recipe = _python_recipe()
    if await _is_there(engine, PYTHON, recipe):
        return
    root = folder / "root"
    shutil.rmtree(root, ignore_errors=True)
    await call(
        *("nice", "-n", "10", "debootstrap", "--variant=minbase", f"--include={ROOT_PACKAGES}"),
        *(SUITE, str(root), mirror(), "sid"),
        within_s=MADE_WITHIN_S,
    )
    await call(STANDINS / "python.sh", root)
    archive = folder / "root.tar"
    await call("tar", "-C", root, "-cf", archive, ".")
    await engine.run("import", "--quiet", "--change", f"LABEL {LABEL}={recipe}", archive, PYTHON)
    archive.unlink()
    shutil.rmtree(root)


async def _databases_context(folder: Path) -> Path:
    """Return a folder with the programs of the databases and their entry points."""
    context = folder / "context"
    context.mkdir(exist_ok=True)
    try:
        server, database = await mongod(_say), await questdb(_say)
    except MissingProgramError as err:
        raise EngineError(str(err)) from err
    jar = database.command[database.command.index("-cp") + 1]
    for name, source in (("mongod", Path(server.command[0])), ("questdb.jar", Path(jar))):
        await asyncio.to_thread(shutil.copy, source, context / name)
    for path in STANDINS.glob("*.sh"):
        await asyncio.to_thread(shutil.copy, path, context)
    return context


async def _make(engine: Engine, name: str, recipe: str, context: Path) -> None:
    """Make a stand-in on the one for Python."""
    options = (*engine.build_options, "--label", f"{LABEL}={recipe}", "--file", str(_dockerfile(name)))
    command = ("nice", "-n", "10", "podman", "build", *options, "--tag", name, str(context))
    await call(*command, environment=engine.environment, within_s=MADE_WITHIN_S)


def _dockerfile(name: str) -> Path:
    return STANDINS / MADE[name.rpartition(":")[0].rpartition("/")[2]]


async def _lacking(engine: Engine, names: Sequence[str], *made_of: Path) -> dict[str, str]:
    """Return those that are not there as they should be, each with the fingerprint of how it is made."""
    base = _python_recipe()
    recipes = {name: _recipe(base, _dockerfile(name), *made_of) for name in names}
    return {name: recipe for name, recipe in recipes.items() if not await _is_there(engine, name, recipe)}


async def set_up(folder: Path) -> Engine:
    """Return an engine that has what stands in for the images that the app's image is made of."""
    await _install()
    engine = _engine(folder)
    started_s = time.monotonic()
    await _make_python(engine, folder)
    for name, recipe in (await _lacking(engine, [NODE], ROOT / "requirements" / "node.txt")).items():
        await _make(engine, name, recipe, ROOT / "requirements")
    _say(f"stand-ins for what the image is made of are there ({time.monotonic() - started_s:.0f} s)")
    return engine


async def set_up_databases(engine: Engine, folder: Path) -> None:
    """Let an engine that `set_up` returned have what stands in for the databases."""
    lacking = await _lacking(engine, [full(name) for name in databases()], *sorted(STANDINS.glob("*.sh")))
    if not lacking:
        return
    started_s = time.monotonic()
    context = await _databases_context(folder)
    for name, recipe in lacking.items():
        await _make(engine, name, recipe, context)
    _say(f"stand-ins for the databases are there ({time.monotonic() - started_s:.0f} s)")


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)

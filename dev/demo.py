"""The demo: a server, a Home Assistant with the simulated home, and the integration between them.

In:   the state folder, the ports that are wanted, a screen.
Out:  all of it running, then stopped in order: Home Assistant first, so that what it still sends arrives.
      Fails with `ProcessDiedError`, `HomeAssistantError`, `ServerNotReadyError`, `NoPortError`.
"""

import asyncio
import json
import os
import shutil
import threading
import time
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from .control import command_line
from .ha import Connection, Installation, User
from .parts import Part, Parts
from .processes import ROOT, Process, free_port, while_running
from .provision import (
    HISTORY_DAYS,
    INTEGRATION,
    ensure_energy_settings,
    ensure_history,
    ensure_home,
    ensure_integration,
    ensure_user,
    has_history,
    history_begin_s,
    until_heard,
    until_valid,
)
from .screen import Screen
from .server import Server
from .servers import DURABLE, DatabaseServer, MongoDB, QuestDB
from .servers import start as start_database
from .simulated_home import history
from .simulated_home.const import DEFAULT_SEED
from .simulated_home.const import DOMAIN as SIMULATED_HOME
from .simulated_home.model import House, day_number

FOLDERS = ("home_assistant", "server", "databases", "logs")
QUESTDB_PORT = 19_200
QUESTDB_PG_PORT = 18_912
MONGODB_PORT = 27_217
NOTES = "demo.json"
RESTART = 100  # the exit status of a Home Assistant that wants to be started again
COMPONENTS = {
    INTEGRATION: ROOT / "custom_components" / INTEGRATION,
    SIMULATED_HOME: ROOT / "dev" / SIMULATED_HOME,
}


@dataclass(slots=True)
class Notes:
    """What the demo remembers from run to run."""

    begun_s: int
    seed: int = DEFAULT_SEED
    history_days: int = HISTORY_DAYS
    connected_to: str = ""  # the address and token that the integration was given last
    port: int = 8765
    ha_port: int = 8123
    storage: str = "embedded"

    @classmethod
    def read(cls, folder: Path) -> Notes:
        """Return the notes of the last run, or begin now."""
        path = folder / NOTES
        known = json.loads(path.read_text()) if path.exists() else {}
        return cls(**{"begun_s": int(time.time())} | {name: known[name] for name in cls.__slots__ if name in known})

    def write(self, folder: Path) -> None:
        """Keep them."""
        path = folder / NOTES
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)))
        fresh.chmod(0o600)
        fresh.replace(path)


def server(folder: Path, port: int, settings: Mapping[str, str] | None = None) -> Server:
    """Return the demo's server."""
    return Server(folder / "server", port, settings=settings or {})


def databases(folder: Path) -> tuple[QuestDB, MongoDB]:
    """Return the demo's databases, on ports that are free."""
    questdb = QuestDB(folder / "databases" / "questdb", free_port(QUESTDB_PORT), free_port(QUESTDB_PG_PORT), DURABLE)
    return questdb, MongoDB(folder / "databases" / "mongodb", free_port(MONGODB_PORT))


def storage_settings(storage: str, questdb: QuestDB, mongodb: MongoDB) -> dict[str, str]:
    """Return the server's settings for a storage; databases that the environment names are used as they are."""
    if storage != "questdb" or (os.environ.get("ENERGY_QUESTDB_URL") and os.environ.get("ENERGY_MONGODB_URL")):
        return {"ENERGY_STORAGE": storage}
    return {
        "ENERGY_STORAGE": storage,
        "ENERGY_QUESTDB_URL": questdb.url,
        "ENERGY_QUESTDB_PG_URL": questdb.pg_url,
        "ENERGY_MONGODB_URL": f"{mongodb.url}energy_dashboard",
    }


def installation(folder: Path, port: int) -> Installation:
    """Return the demo's Home Assistant."""
    return Installation(folder / "home_assistant", port, components=COMPONENTS)


def clear(folder: Path) -> None:
    """Delete what the demo has written to the state folder, and nothing else."""
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / NOTES).unlink(missing_ok=True)


class Days:
    """The days of the history, computed in a thread while other things go on; `stop` ends that early."""

    def __init__(self, house: House, begin_s: int) -> None:
        """Begin."""
        self._house = house
        self._begin_s = begin_s
        self._stopped = threading.Event()
        self._task = asyncio.ensure_future(asyncio.to_thread(self._compute))

    def _compute(self) -> list[history.Hours]:
        days: list[history.Hours] = []
        for hours in history.compute(self._house, self._begin_s, int(time.time())):
            if self._stopped.is_set():
                break
            days.append(hours)
        return days

    async def all(self) -> list[history.Hours]:
        """Wait for them."""
        return await self._task

    def stop(self) -> None:
        """Compute no more."""
        self._stopped.set()


class Demo:
    """All of it."""

    def __init__(
        self,
        folder: Path,
        screen: Screen,
        *,
        port: int,
        ha_port: int,
        history_days: int = HISTORY_DAYS,
        storage: str | None = None,
    ) -> None:
        """Choose ports; nothing runs yet. A home that was begun keeps the length of its history and its storage."""
        self._folder = folder
        self._screen = screen
        self.notes = Notes.read(folder)
        if not (folder / NOTES).exists():
            self.notes.history_days = history_days
        self.user = User()
        self.notes.port = free_port(port)
        self.notes.ha_port = free_port(ha_port, taken=[self.notes.port])
        self.notes.storage = storage or self.notes.storage
        questdb, mongodb = databases(folder)
        settings = storage_settings(self.notes.storage, questdb, mongodb)
        self._databases: tuple[DatabaseServer, ...] = (questdb, mongodb) if len(settings) > 1 else ()
        self.server = server(folder, self.notes.port, settings)
        self.home_assistant = installation(folder, self.notes.ha_port)
        self.parts = Parts(tuple(self._parts()), screen, partial(command_line, folder))
        for wanted, used in ((port, self.notes.port), (ha_port, self.notes.ha_port)):
            if wanted != used:
                screen.say(f"  [yellow]Port {wanted} is in use; {used} is used instead.[/]")

    def _parts(self) -> Iterator[Part]:
        for database in self._databases:
            yield Part(database.name.lower(), database.name, partial(_started, database))
        yield Part("server", "The server", lambda: self.server.start(_turned(self.log("server"))))
        yield Part(
            "home_assistant",
            "Home Assistant",
            lambda: self.home_assistant.start(_turned(self.log("home_assistant"))),
            restart=RESTART,
        )

    @property
    def storage(self) -> str:
        """Where the data is, for a person."""
        where = [f"{database.name} at {database.address}" for database in self._databases]
        return ", ".join(where) or f"{self.notes.storage}, as set"

    def log(self, name: str) -> Path:
        """Return the path of a log; the one of the run before is kept beside it."""
        return self._folder / "logs" / f"{name}.log"

    @property
    def _history_begin_s(self) -> int:
        return history_begin_s(self.notes.begun_s, self.notes.history_days)

    async def start(self) -> None:
        """Bring everything up; what was finished in an earlier run is only looked at."""
        self.notes.write(self._folder)
        house = House(self.notes.seed, day_number(self.notes.begun_s))
        days: Days | None = None
        try:
            for database in self._databases:
                with self._screen.step(database.name):
                    await self.parts.begin(database.name.lower())
            with self._screen.step("The server"):
                await self.parts.begin("server")
            if not self.notes.connected_to:
                days = Days(house, self._history_begin_s)
            with self._screen.step("Home Assistant"):
                await self.parts.begin("home_assistant")
                token = await self._alive(ensure_user(self.home_assistant, self.user))
            async with Connection(self.home_assistant.url, token) as connection:
                await self._alive(self._configure(connection, house, days))
        finally:
            if days is not None:
                days.stop()

    async def _configure(self, connection: Connection, house: House, days: Days | None) -> None:
        with self._screen.step("The simulated home"):
            await connection.running()
            await ensure_home(connection, self.notes.seed, house.epoch_day)
        with self._screen.step("Home Assistant's Energy settings"):
            await ensure_energy_settings(connection)
        if not await has_history(connection, self.notes.begun_s, self.notes.history_days):
            with self._screen.step(f"History of {self.notes.history_days} days") as step:
                days = days or Days(house, self._history_begin_s)
                await ensure_history(
                    connection, house, self.notes.begun_s, await days.all(), step, self.notes.history_days
                )
        await until_valid(connection)
        with self._screen.step("The integration"):
            address = f"{self.server.url} {self.server.token()}"
            if self.notes.connected_to != address:
                await ensure_integration(connection, self.server.url, self.server.token())
                self.notes.connected_to = address
                self.notes.write(self._folder)
        with self._screen.step("First readings"):
            await until_heard(self.server)

    async def _alive[T](self, work: Awaitable[T]) -> T:
        return await while_running(self.parts.processes, work)


async def _started(database: DatabaseServer) -> Process:
    return (await start_database(database)).process


def _turned(log: Path) -> Path:
    """Put the log of the run before aside."""
    if log.exists():
        log.replace(log.with_suffix(".before.log"))
    return log

"""A real QuestDB and a real mongod, each on a folder and ports of its own, started and stopped by script.

In:   a folder, ports, settings.
Out:  a running server that answers, as a `Process`. Fails with `MissingProgramError`, with `ProcessDiedError`, or with
      `ServerSilentError` when it runs but does not answer in time.
"""

import asyncio
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from .processes import Process, while_running
from .server_programs import Program, mongod, questdb

READY_WITHIN_S = 60.0
LOOK_AGAIN_S = 0.05
ANSWER_WITHIN_MS = 1_000
HTTP_OK = 200
DURABLE = {"QDB_CAIRO_COMMIT_MODE": "sync"}
"""The settings of a QuestDB that has written to the disk what it acknowledges."""
REPLICA_SET = "rs0"
NOT_INITIATED = 94


class ServerSilentError(Exception):
    """A server runs but does not answer."""


class DatabaseServer(Protocol):
    """What both have in common."""

    folder: Path

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def address(self) -> str:
        """Where it is, for a person."""

    async def command(self) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return the command line and the environment that run it."""

    async def answers(self) -> bool:
        """Say whether it can be used."""


@dataclass(slots=True)
class QuestDB:
    """A QuestDB. `settings` are its own, as QDB_… variables."""

    folder: Path
    http_port: int
    pg_port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    user: str = "admin"
    password: str = "quest"  # noqa: S105 its own default, for servers that listen on this machine alone

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "QuestDB"

    @property
    def url(self) -> str:
        """Where its HTTP answers."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def pg_url(self) -> str:
        """Where it answers as PostgreSQL does."""
        return f"postgresql://{self.user}:{self.password}@127.0.0.1:{self.pg_port}/qdb"

    @property
    def address(self) -> str:
        """Where it is, for a person."""
        return f"{self.url} and {self.pg_url}"

    async def command(self) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return how it is run: for 4 GB, as in compose.yaml but for the collector, and on this machine alone."""
        program = await questdb()
        data, unpacked = self.folder / "data", self.folder / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)  # a kill leaves its native libraries there
        for each in (data, unpacked):
            each.mkdir(parents=True, exist_ok=True)
        environment = {
            "QDB_HTTP_BIND_TO": f"127.0.0.1:{self.http_port}",
            "QDB_PG_NET_BIND_TO": f"127.0.0.1:{self.pg_port}",
            "QDB_PG_USER": self.user,
            "QDB_PG_PASSWORD": self.password,
            "QDB_HTTP_MIN_ENABLED": "false",
            "QDB_LINE_TCP_ENABLED": "false",
            "QDB_LINE_AUTO_CREATE_NEW_COLUMNS": "false",
            "QDB_LINE_AUTO_CREATE_NEW_TABLES": "false",
            "QDB_TELEMETRY_ENABLED": "false",
            "QDB_LOG_W_STDOUT_LEVEL": "ERROR",
            "QDB_RAM_USAGE_LIMIT_BYTES": "400m",
            "QDB_SHARED_WORKER_COUNT": "2",
            "QDB_QUERY_TIMEOUT": "3s",
            "JAVA_TOOL_OPTIONS": f"-Djava.io.tmpdir={unpacked}",
            **self.settings,
        }
        return _line(program, f"questdb-{self.http_port}", self.folder, environment, ("-d", str(data))), environment

    async def answers(self) -> bool:
        """Say whether it can be asked."""
        timeout = aiohttp.ClientTimeout(ANSWER_WITHIN_MS / 1_000)
        with suppress(aiohttp.ClientError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"{self.url}/exec", params={"query": "select 1"}) as answer,
            ):
                return answer.status == HTTP_OK
        return False


@dataclass(slots=True)
class MongoDB:
    """A mongod: a single server, or the only member of a replica set. `options` are more of its own."""

    folder: Path
    port: int
    replica_set: bool = False
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "MongoDB"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"mongodb://127.0.0.1:{self.port}/" + (f"?replicaSet={REPLICA_SET}" if self.replica_set else "")

    @property
    def address(self) -> str:
        """Where it is, for a person."""
        return self.url

    async def command(self) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return how it is run: a small cache, listening on this machine alone."""
        program = await mongod()
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        arguments = (
            *("--dbpath", str(data), "--bind_ip", "127.0.0.1", "--port", str(self.port)),
            *("--wiredTigerCacheSizeGB", "0.25", "--nounixsocket"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *(("--replSet", REPLICA_SET) if self.replica_set else ()),
            *self.options,
        )
        return _line(program, f"mongod-{self.port}", self.folder, {}, arguments), {}

    async def answers(self) -> bool:
        """Say whether it takes writes; makes a new member of a replica set its primary."""
        return await asyncio.to_thread(self._answers_now)

    def _answers_now(self) -> bool:
        here = f"mongodb://127.0.0.1:{self.port}/?directConnection=true"
        client: MongoClient[dict[str, object]] = MongoClient(
            here, serverSelectionTimeoutMS=ANSWER_WITHIN_MS, timeoutMS=ANSWER_WITHIN_MS
        )
        with client, suppress(PyMongoError):
            if self.replica_set:
                _initiate(client, self.port)
            return bool(client.admin.command("hello")["isWritablePrimary"])
        return False


def _initiate(client: MongoClient[dict[str, object]], port: int) -> None:
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as err:
        if err.code != NOT_INITIATED:
            return  # it wants a login, so it is not a new one
        members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})


def _line(
    program: Program, container: str, folder: Path, environment: Mapping[str, str], arguments: tuple[str, ...]
) -> tuple[str, ...]:
    return program.line(f"energy-{container}", folder, environment, arguments)


async def until_answering(server: DatabaseServer, within_s: float = READY_WITHIN_S) -> None:
    """Wait until it can be used. Raises ServerSilentError."""
    try:
        async with asyncio.timeout(within_s):
            while not await server.answers():  # noqa: ASYNC110 it says nothing by itself
                await asyncio.sleep(LOOK_AGAIN_S)
    except TimeoutError as err:
        raise ServerSilentError(f"{server.name} in {server.folder} did not answer within {within_s:.0f} s.") from err


@dataclass(slots=True)
class Running:
    """A database server that runs."""

    process: Process
    line: tuple[str, ...]

    async def stop(self) -> None:
        """Ask it to end, and wait."""
        await self.resume()
        await self.process.stop()

    async def kill(self) -> None:
        """End it with SIGKILL."""
        await self.signal(signal.SIGKILL)
        await self.process.kill()

    async def pause(self) -> None:
        """Let it hang (SIGSTOP)."""
        await self.signal(signal.SIGSTOP)

    async def resume(self) -> None:
        """Let it go on."""
        await self.signal(signal.SIGCONT)

    async def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server itself, which may be inside a container."""
        if self.line[0] == "docker":
            name = self.line[self.line.index("--name") + 1]
            told = await asyncio.create_subprocess_exec("docker", "kill", "--signal", str(int(number)), name)
            await told.wait()
        else:
            self.process.send(number)


async def start(server: DatabaseServer) -> Running:
    """Start it and wait until it can be used."""
    line, environment = await server.command()
    process = await Process.start(server.name, line, log=server.folder / "log", environment=environment)
    running = Running(process, line)
    try:
        await while_running([process], until_answering(server))
    except BaseException:  # whatever it was, and also when we are cancelled: leave nothing behind
        await running.kill()
        raise
    return running

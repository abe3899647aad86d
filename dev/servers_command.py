"""The command `script/servers`: a QuestDB and a mongod that run in the background until they are stopped.

In:   the command line; ENERGY_STATE, the folder in which all state is kept (default: .state in the checkout).
Out:  servers that outlive the command, and a note of each in `servers/` of that folder. Exit status 0; 1 when one is
      not to be had, does not run, or does not answer.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from .processes import FORGOTTEN, ROOT, NoPortError, free_port
from .server_programs import MissingProgramError, mongod, questdb
from .servers import DURABLE, DatabaseServer, MongoDB, QuestDB, ServerSilentError, until_answering

QUESTDB_PORT = 19_000
QUESTDB_PG_PORT = 18_812
MONGODB_PORT = 27_117
ENDS_WITHIN_S = 20.0
LOOK_AGAIN_S = 0.05
NOTE = "note.json"


class ServerDiedError(Exception):
    """A server ended as soon as it was started."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is remembered of a server that was started; its folder is a word of its command line."""

    pid: int
    ports: list[int]
    replica_set: bool = False

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the note of a folder, None where there is none."""
        path = folder / NOTE
        return cls(**json.loads(path.read_text())) if path.exists() else None

    def write(self, folder: Path) -> None:
        """Keep it."""
        (folder / NOTE).write_text(json.dumps(asdict(self)))

    def runs(self, folder: Path) -> bool:
        """Say whether the process still is this server."""
        command = ("ps", "-ww", "-o", "stat=,args=", "-p", str(self.pid))
        told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return str(folder) in told and not told.startswith("Z")


def _noted(folder: Path, *, replica_set: bool) -> tuple[DatabaseServer, ...]:
    """Return both servers: as they run, else on the ports that are wanted, or the next that are free."""
    questdb_folder, mongodb_folder = folder / "questdb", folder / "mongodb"
    note = Note.read(questdb_folder)
    if note is not None and note.runs(questdb_folder):
        http_port, pg_port = note.ports
    else:
        http_port, pg_port = free_port(QUESTDB_PORT), free_port(QUESTDB_PG_PORT)
    note = Note.read(mongodb_folder)
    if note is not None and note.runs(mongodb_folder):
        (port,), replica_set = note.ports, note.replica_set
    else:
        port = free_port(MONGODB_PORT)
    return QuestDB(questdb_folder, http_port, pg_port, DURABLE), MongoDB(mongodb_folder, port, replica_set=replica_set)


def _note_of(server: DatabaseServer, pid: int) -> Note:
    match server:
        case QuestDB():
            return Note(pid, [server.http_port, server.pg_port])
        case MongoDB():
            return Note(pid, [server.port], server.replica_set)
    raise TypeError(server)


async def _start(server: DatabaseServer) -> None:
    note = Note.read(server.folder)
    if note is not None and note.runs(server.folder):
        await until_answering(server)
        print(f"{server.name} runs already: {server.address}")
        return
    line, environment = await server.command()
    inherited = {key: value for key, value in os.environ.items() if key not in FORGOTTEN}
    process = _spawned(server, line, {**inherited, **environment})
    _note_of(server, process.pid).write(server.folder)
    await _until_up(server, process)
    print(f"{server.name} runs: {server.address}")


def _spawned(server: DatabaseServer, line: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start it as a process that lives on, which one of asyncio would not."""
    with (server.folder / "log").open("ab") as output:
        return subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )


async def _until_up(server: DatabaseServer, process: subprocess.Popen[bytes]) -> None:
    answering = asyncio.ensure_future(until_answering(server))
    while not answering.done():
        if process.poll() is not None:
            answering.cancel()
            log = server.folder / "log"
            raise ServerDiedError(f"{server.name} ended with status {process.returncode}. Its log: {log}")
        await asyncio.wait({answering}, timeout=LOOK_AGAIN_S)
    await answering


async def _stop(server: DatabaseServer) -> None:
    note = Note.read(server.folder)
    if note is None or not note.runs(server.folder):
        print(f"{server.name} does not run")
        return
    os.kill(note.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            while note.runs(server.folder):  # noqa: ASYNC110 another program's end tells nobody here
                await asyncio.sleep(LOOK_AGAIN_S)
    except TimeoutError as err:
        raise ServerSilentError(f"{server.name} (process {note.pid}) did not end in {ENDS_WITHIN_S:.0f} s.") from err
    (server.folder / NOTE).unlink()
    print(f"{server.name} is stopped")


async def _say(server: DatabaseServer) -> None:
    note = Note.read(server.folder)
    if note is None or not note.runs(server.folder):
        print(f"{server.name} does not run")
    elif await server.answers():
        print(f"{server.name} runs: {server.address}  (process {note.pid}, data in {server.folder})")
    else:
        print(f"{server.name} runs as process {note.pid} but does not answer; its log: {server.folder / 'log'}")


WHAT = {"start": _start, "stop": _stop, "status": _say}


async def main(folder: Path, what: str, *, replica_set: bool) -> None:
    """Do it with both."""
    if what == "fetch":
        for program in (questdb, mongod):
            await program()
        return
    for server in _noted(folder, replica_set=replica_set):
        await WHAT[what](server)


def command() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="script/servers", description="A real QuestDB and a real mongod.")
    parser.add_argument("what", choices=("start", "stop", "status", "fetch"), help="fetch: have both, start neither")
    parser.add_argument("--replica-set", action="store_true", help="mongod as the only member of a replica set")
    options = parser.parse_args()
    folder = Path(os.environ.get("ENERGY_STATE", ROOT / ".state")).resolve() / "servers"
    try:
        asyncio.run(main(folder, options.what, replica_set=options.replica_set))
    except (MissingProgramError, NoPortError, ServerDiedError, ServerSilentError) as err:
        print(err, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(command())

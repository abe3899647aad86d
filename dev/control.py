"""Commands to the running demo from a second terminal: a Unix socket in the state folder, for its owner alone.

In:   the state folder. `listening`: connections, each with one line such as `stop server`. `ask`: that line's words.
Out:  `listening`: a queue of requests, each to be answered. `ask`: the answer; fails with `NoDemoError`.
"""

import asyncio
import json
import shlex
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, chdir, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from .processes import ROOT

NAME = "demo.sock"
STATE = (ROOT / ".state").resolve()
WHAT = ("stop", "start")


class NoDemoError(Exception):
    """No demo answers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether it was done, and what there is to say."""

    done: bool
    says: str


@dataclass(frozen=True, slots=True)
class Request:
    """What to do, one of WHAT, with which part; who does it sets the answer."""

    what: str
    part: str
    answer: asyncio.Future[Answer]


def command_line(folder: Path, *words: str) -> str:
    """Return what a person types to do that with the demo of the folder."""
    where = "" if folder == STATE else f"ENERGY_STATE={shlex.quote(str(folder))} "
    return where + " ".join(("script/run", *words))


@asynccontextmanager
async def listening(folder: Path, say: Callable[[str], None]) -> AsyncIterator[asyncio.Queue[Request]]:
    """Take requests; says so, and takes none, where the folder's file system has no sockets.

    Who holds the folder (`only_one`) may do this: what an earlier run left of its socket is removed.
    """
    requests: asyncio.Queue[Request] = asyncio.Queue()
    try:
        own = _bound(folder)
    except OSError as err:
        say(f"No parts can be stopped or started from a second terminal: there can be no socket in {folder}: {err}")
        yield requests
        return
    conversations: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(_converse(requests, reader, writer))
        conversations.add(task)
        task.add_done_callback(conversations.discard)

    server = await asyncio.start_unix_server(begin, sock=own, cleanup_socket=False)
    try:
        yield requests
    finally:
        (folder / NAME).unlink(missing_ok=True)
        server.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)


def _bound(folder: Path) -> socket.socket:
    own = socket.socket(socket.AF_UNIX)
    try:
        with chdir(folder):  # a socket's path may be some 100 bytes long, a folder's far longer
            Path(NAME).unlink(missing_ok=True)
            own.bind(NAME)
            Path(NAME).chmod(0o600)  # nobody can connect before it listens
    except OSError:
        own.close()
        raise
    return own


async def _converse(
    requests: asyncio.Queue[Request], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        what, _, part = (await reader.readline()).decode(errors="replace").strip().partition(" ")
        answer = asyncio.get_running_loop().create_future()
        if what in WHAT:
            await requests.put(Request(what, part, answer))
        else:
            answer.set_result(Answer(done=False, says=f"{what!r} is none of {', '.join(WHAT)}."))
        writer.write(json.dumps(asdict(await answer)).encode())
    finally:
        writer.close()
        with suppress(ConnectionError):  # who asked may have gone
            await writer.wait_closed()


def ask(folder: Path, what: str, part: str) -> Answer:
    """Ask the demo of the folder, and wait until it is done."""
    with socket.socket(socket.AF_UNIX) as own:
        try:
            with chdir(folder):
                own.connect(NAME)
        except PermissionError as err:
            raise NoDemoError(f"The demo in {folder} is another user's.") from err
        except OSError as err:
            raise NoDemoError(
                f"No demo is up in {folder}. Run script/run first and wait until it says where the dashboard is. "
                "A demo with another state folder is named by ENERGY_STATE=/path."
            ) from err
        try:
            own.sendall(f"{what} {part}\n".encode())
            with own.makefile() as answer:
                return Answer(**json.loads(answer.read()))
        except (OSError, ValueError) as err:
            raise NoDemoError("The demo ended before it had done it.") from err

"""The socket between the demo and a second terminal, with real ones."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dev.control import NAME, STATE, Answer, NoDemoError, Request, ask, command_line, listening


def never(text: str) -> None:
    raise AssertionError(text)


@asynccontextmanager
async def answering(folder: Path, answer: Answer) -> AsyncIterator[list[Request]]:
    """Be a demo that gives everybody the same answer; the requests are noted."""
    noted: list[Request] = []

    async def work(requests: asyncio.Queue[Request]) -> None:
        while True:
            noted.append(await requests.get())
            noted[-1].answer.set_result(answer)

    async with listening(folder, never) as requests:
        working = asyncio.ensure_future(work(requests))
        yield noted
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


@pytest.mark.parametrize("name", ["short", "long" * 50])
async def test_a_request_is_answered_whatever_the_length_of_the_path(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    here = Path.cwd()
    async with answering(folder, Answer(done=True, says="It is.\nIndeed.")) as noted:
        assert await asyncio.to_thread(ask, folder, "stop", "server") == Answer(done=True, says="It is.\nIndeed.")
    assert [(request.what, request.part) for request in noted] == [("stop", "server")]
    assert not (folder / NAME).exists()
    assert Path.cwd() == here


async def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    async with listening(tmp_path, never):
        assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


async def test_what_is_no_command_is_said_to_be_none(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer(done=True, says="")) as noted:
        answer = await asyncio.to_thread(ask, tmp_path, "destroy", "server")
    assert answer == Answer(done=False, says="'destroy' is none of stop, start.")
    assert noted == []


async def test_what_a_killed_demo_left_is_in_nobodys_way(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / NAME))
    with pytest.raises(NoDemoError, match="No demo is up"):
        ask(tmp_path, "stop", "server")
    async with answering(tmp_path, Answer(done=True, says="again")):
        assert (await asyncio.to_thread(ask, tmp_path, "stop", "server")).says == "again"


@pytest.mark.parametrize("name", [".", "nowhere"])
def test_without_a_demo_that_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(NoDemoError, match="No demo is up"):
        ask(tmp_path / name, "stop", "server")


async def test_a_demo_that_ends_leaves_nobody_waiting(tmp_path: Path) -> None:
    async with listening(tmp_path, never) as requests:
        asking = asyncio.ensure_future(asyncio.to_thread(ask, tmp_path, "stop", "server"))
        await requests.get()
    with pytest.raises(NoDemoError, match="ended before"):
        await asking


async def test_where_no_socket_can_be_that_is_said_and_nothing_else_happens(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    said: list[str] = []
    async with listening(tmp_path, said.append) as requests:
        assert requests.empty()
    assert len(said) == 1
    assert str(tmp_path) in said[0]


def test_the_command_names_the_folder_unless_it_is_the_usual_one() -> None:
    assert command_line(STATE) == "script/run"
    assert command_line(STATE, "start", "server") == "script/run start server"
    assert command_line(Path("/my home"), "stop", "server") == "ENERGY_STATE='/my home' script/run stop server"

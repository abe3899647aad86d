"""Telling Home Assistant of the app: what the Supervisor gets, and that its moods are waited out."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from energy_server.discovery import Announcement, announce
from tests.server.serving import TOKEN, Start

SUPERVISOR_TOKEN = "what-the-supervisor-gave-to-its-app"


class StandIn:
    """A Supervisor that answers discoveries as it is told, 200 when it is told no more."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[int] = []
        self.got: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        self.taken = asyncio.Event()

    async def discovery(self, request: web.Request) -> web.Response:
        self.tokens.add(request.headers["Authorization"])
        self.got.append(await request.json())
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.taken.set()
        return web.json_response({"result": "ok", "data": {"uuid": "1"}}, status=status)


@pytest.fixture
async def supervisor() -> AsyncIterator[StandIn]:
    stand_in = StandIn()
    app = web.Application()
    app.router.add_post("/discovery", stand_in.discovery)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stand_in.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield stand_in
    await runner.cleanup()


async def test_at_each_start_the_supervisor_learns_where_the_app_is(
    start: Start, supervisor: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = await start(
        supervisor_url=supervisor.url, supervisor_token=SecretStr(SUPERVISOR_TOKEN), discovery_host="Local-Energy"
    )
    async with asyncio.timeout(30):
        await supervisor.taken.wait()
    assert supervisor.got == [
        {"service": "energy_dashboard", "config": {"host": "Local-Energy", "port": 0, "token": TOKEN}}
    ]
    assert supervisor.tokens == {f"Bearer {SUPERVISOR_TOKEN}"}
    async with server.client.get(f"{server.url}/api/status", headers={"Host": "local-energy:8765"}) as response:
        assert response.status == 200
    assert TOKEN not in caplog.text
    assert SUPERVISOR_TOKEN not in caplog.text


async def test_without_a_supervisor_nobody_is_told(start: Start, supervisor: StandIn) -> None:
    server = await start(supervisor_url=supervisor.url)
    assert await server.get("/api/ready")
    assert supervisor.got == []


async def test_a_supervisor_that_does_not_take_it_is_asked_until_it_does(
    supervisor: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    supervisor.answers = [502, 502, 400, 403]
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    told = Announcement("host", 8765, TOKEN)
    await announce(supervisor.url + "/", SecretStr(SUPERVISOR_TOKEN), told, sleep=sleep)
    assert waits == [1.0, 2.0, 4.0, 8.0]
    assert len(supervisor.got) == 5
    lines = [record.getMessage() for record in caplog.records if record.name == "energy_server.discovery"]
    assert [line.rpartition(": ")[2] for line in lines] == ["HTTP 502", "HTTP 400", "HTTP 403", "host port 8765"]
    assert TOKEN not in caplog.text + repr(told)


async def test_a_supervisor_that_is_not_there_is_waited_for(unused_tcp_port: int) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 9:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await announce(
            f"http://127.0.0.1:{unused_tcp_port}",
            SecretStr(SUPERVISOR_TOKEN),
            Announcement("host", 1, TOKEN),
            sleep=sleep,
        )
    assert waits[-2:] == [60.0, 60.0]

"""The image as an app: the Supervisor gives it options, a token and a data folder, and shows it in the sidebar."""

import re
import time
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from tests.containers.app import DIRECT_PORT, HOSTNAME, INGRESS_PORT, STOPS_WITHIN_S, App, page
from tests.containers.container import answer
from tests.containers.feeding import feeding, read
from tests.containers.figures import figure

MOST_IDLE_MB = 150.0

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_home_assistant_is_told_where_it_is_and_the_token_opens_it(app: App) -> None:
    token = await app.token()
    (message,) = (await app.home.told())[app.told_before :]
    assert message == {
        "service": "energy_dashboard",
        "config": {"host": HOSTNAME, "port": DIRECT_PORT, "token": token},
    }
    assert len(token) >= 32
    assert await answer(app.home.url, "/test/direct") == (200, {"token": 200, "nothing": 401})
    assert token not in await app.container.logs()
    assert await app.container.execute("energy-server", "token") == f"{token}\n"


async def test_readings_come_in_by_the_link_and_are_read_in_the_sidebar(app: App) -> None:
    token, ingress = await app.token(), app.home.ingress
    async with feeding(await app.direct(), token) as feed:
        async with aiohttp.ClientSession() as browser, browser.ws_connect(f"{ingress}/api/live") as socket:
            assert (await socket.receive_json(timeout=10))["type"] == "snapshot"
            await feed.send()
            assert (await socket.receive_json(timeout=10))["type"] != "snapshot"
        assert await read(ingress, None, feed) == feed.rows


async def test_the_dashboard_lies_below_the_address_that_ingress_gives_it(app: App) -> None:
    await app.is_ready()
    status, text = await page(app.home.ingress, "/")
    assert status == 200
    assert f'<base href="/api/hassio_ingress/{app.home.secret}/">' in text
    names = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', text)
    assert names
    for name in names:
        assert (await page(app.home.ingress, f"/{name}"))[0] == 200


async def test_nobody_but_the_supervisor_comes_by_ingress(app: App) -> None:
    await app.is_ready()
    for path in ("/", "/api/health", "/api/status"):
        assert await app.home.stranger(f"http://{HOSTNAME}:{INGRESS_PORT}{path}") == 403
    assert await app.home.stranger(f"http://{HOSTNAME}:{DIRECT_PORT}/api/health") == 200
    assert await app.home.stranger(f"http://{HOSTNAME}:{DIRECT_PORT}/api/status") == 401


async def test_it_is_healthy_small_and_nothing_of_it_is_root(start: Callable[..., Awaitable[App]]) -> None:
    started_s = time.monotonic()
    app = await start()
    figure("app: container asked for until it runs", time.monotonic() - started_s, "s")
    await app.is_ready()
    figure("app: the same until it can work", time.monotonic() - started_s, "s")
    await app.token()
    await app.container.healthy()
    processes = await app.container.processes()
    assert set(processes) == {"s6-svscan", "s6-supervise", "python3"}, processes
    assert {user for user, _ in processes.values()} == {8765}
    figure("app: memory idle", await app.container.memory_mb(), "MB", MOST_IDLE_MB)


async def test_what_it_stored_is_there_after_it_stops_and_it_stops_in_time(app: App) -> None:
    token = await app.token()
    async with feeding(await app.direct(), token) as feed:
        await feed.send()
        took_s, status = await app.container.stop(STOPS_WITHIN_S)
    figure("app: asked to stop until stopped", took_s, "s", STOPS_WITHIN_S)
    assert status == 0
    await app.home.engine.run("start", app.container.name)
    await app.is_ready()
    assert await app.token() == token
    assert await read(await app.direct(), token, feed) == feed.rows


async def test_a_server_that_dies_is_started_again(app: App) -> None:
    await app.is_ready()
    await app.container.execute("bash", "-c", 'kill -9 "$(grep -l "^Name:.python3" /proc/[0-9]*/status | cut -d/ -f3)"')
    await app.is_ready()
    assert await app.container.inspect(".State.Running") is True

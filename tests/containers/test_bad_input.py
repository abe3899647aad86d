"""Options that are refused, a data folder that is full, somebody else's or read-only: each says what to do."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.containers.app import App
from tests.containers.container import answer, ready, unready
from tests.containers.feeding import feeding, read

BAD_SETTING = 2
MOST_ROWS = 5_000
SMALL = "type=tmpfs,dst=/data,tmpfs-size={size}"
FILL = "for size in 65536 4096 1; do dd if=/dev/zero of=/data/filler.$size bs=$size status=none; done; true"
FREE = "rm /data/filler.*"

pytestmark = pytest.mark.asyncio(loop_scope="session")

type Start = Callable[..., Awaitable[App]]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("log_level", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("memory_limit_mb", 8, "greater than or equal to 32"),
        ("memory_limit_mb", "much", "valid integer"),
        ("commit_interval_s", 0, "greater than or equal to 0.05"),
        ("allowed_hosts", 5, "tuple"),
    ],
)
async def test_a_bad_option_ends_the_app_and_the_last_line_names_it(
    start: Start, option: str, value: Any, said: str
) -> None:
    app = await start({"log_level": "info", option: value})
    assert await app.container.ended() == BAD_SETTING
    last = (await app.container.logs()).strip().splitlines()[-1]
    assert last.startswith(f"energy-server: {option}: "), last
    assert said in last
    assert "the app's options" in last


@pytest.mark.parametrize("text", ["{", "[]", ""])
async def test_options_that_are_none_end_the_app(start: Start, text: str) -> None:
    app = await start(text)
    assert await app.container.ended() == BAD_SETTING
    assert "/data/options.json" in (await app.container.logs()).strip().splitlines()[-1]


async def test_options_of_another_release_are_no_reason_not_to_start(start: Start) -> None:
    app = await start({"log_level": "info", "an_old_option": 1})
    await app.is_ready()


async def test_a_full_disk_says_so_and_what_was_not_stored_is_stored_later(start: Start) -> None:
    app = await start(mount=SMALL.format(size=24 * 2**20))
    await app.is_ready()
    token, url = await app.token(), await app.direct()
    async with feeding(url, token) as feed:
        await feed.send()
        await app.container.execute("bash", "-c", FILL, user="0")
        await feed.offer(MOST_ROWS)
        message = await unready(url)
        assert "No space is left" in message
        assert "Free some" in message
        assert (await answer(url, "/api/health"))[0] == 200
        assert "No space is left" in await app.container.logs()
        await app.container.execute("bash", "-c", FREE, user="0")
        await ready(url)
        await feed.settled()
    assert await read(url, token, feed) == feed.rows


async def test_a_disk_that_is_full_from_the_beginning(start: Start) -> None:
    app = await start(mount=SMALL.format(size=64 * 2**10))
    message = await unready(await app.direct())
    assert "pace" in message
    assert message in await app.container.logs()


async def test_an_app_takes_over_what_belongs_to_somebody_else(start: Start) -> None:
    app = await start()
    token = await app.token()
    await app.container.execute("chown", "-R", "1000:1000", "/data", user="0")
    await app.container.stop(10)
    await app.home.engine.run("start", app.container.name)
    await app.is_ready()
    assert await app.token() == token


async def test_a_folder_that_nobody_may_write(start: Start) -> None:
    first = await start()
    await first.container.stop(10)
    app = await start(mount=f"type=volume,src={first.volume},dst=/data,ro")
    message = await unready(await app.direct())
    assert "Read-only file system" in message
    assert message in await app.container.logs()

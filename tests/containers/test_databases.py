"""compose.yaml with the profile databases: QuestDB and MongoDB beside the server, nobody else can reach them."""

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from dev.containers.config import DATABASES
from dev.containers.engine import Engine
from tests.containers.composed import SERVICE, Composed, composed
from tests.containers.container import answer, ready
from tests.containers.feeding import feeding, read
from tests.containers.figures import figure

SECRETS = "/run/secrets"
MOST_OF_4_GB = 2_048.0
MIB = 2**20

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(400, func_only=True)]


@pytest_asyncio.fixture(loop_scope="session")
async def project(compose: Engine) -> AsyncIterator[Composed]:
    """Have a project with its databases, not yet up."""
    async with composed(compose, DATABASES) as project:
        yield project


async def test_readings_are_kept_in_the_databases_and_outlive_restart_and_removal(project: Composed) -> None:
    started_s = time.monotonic()
    await project.up()
    figure("databases: up --wait", time.monotonic() - started_s, "s")
    await ready(project.url, 60)
    figure("databases: the same until the server can work", time.monotonic() - started_s, "s")
    token = await project.token()
    _, status = await answer(project.url, "/api/status", token)
    assert status["storage"]["choice"] == "questdb"
    async with feeding(project.url, token) as feed:
        await feed.send(500)
    assert await read(project.url, token, feed) == feed.rows
    for service in (SERVICE, "questdb", "mongodb"):
        container = await project.container(service)
        figure(f"databases: memory of {service}", await container.memory_mb(), "MB")

    await project.do("restart")
    await ready(project.url, 60)
    assert await read(project.url, token, feed) == feed.rows

    await project.do("down")
    await project.up()
    await ready(project.url, 60)
    assert await read(project.url, token, feed) == feed.rows


async def test_their_password_is_made_once_is_told_to_nobody_and_their_network_ends_there(project: Composed) -> None:
    await project.up()
    await ready(project.url, 60)
    server = await project.container()
    password = await server.execute("cat", f"{SECRETS}/databases_password")
    assert len(password) == 48
    await project.do("up", "--detach", "--no-build", "--pull", "never", "--force-recreate", "secrets")
    assert await server.execute("cat", f"{SECRETS}/databases_password") == password
    assert password not in await project.do("logs")
    assert password not in await project.do("config")
    total = 0.0
    for service in (SERVICE, "questdb", "mongodb"):
        container = await project.container(service)
        assert password not in " ".join(await container.inspect(".Config.Env"))
        total += await container.inspect(".HostConfig.Memory") / MIB
        if service != SERVICE:
            assert not await container.inspect(".HostConfig.PortBindings")
            assert {user for user, _ in (await container.processes()).values()} != {0}
    figure("databases: limits of memory together", total, "MB", MOST_OF_4_GB)

"""compose.yaml, beside a real Home Assistant that is not in a container."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from dev.containers.config import COMPOSE_FILE, compose_profiles
from dev.containers.engine import Engine, EngineError
from dev.provision import INTEGRATION
from tests.containers.composed import SERVICE, Composed, composed
from tests.containers.container import answer, ready, unready
from tests.containers.figures import figure
from tests.product.home import Home
from tests.product.load import POWER
from tests.product.running import homing
from tests.product.waiting import true

MOST_MB = 150.0
LIMIT_BYTES = 384 * 2**20
METER = "sensor.meter_in_the_cellar"

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(slots=True)
class Meter:
    """A sensor of Home Assistant, and all that it said."""

    home: Home
    said: dict[int, float] = field(default_factory=dict)

    async def say(self, *values: float) -> None:
        """Say some more."""
        for value in values:
            self.said[await self.home.set(METER, str(value), POWER)] = value

    async def stored(self, url: str, token: str) -> bool:
        """Say whether a server has all that it said, and nothing else."""
        status, body = await answer(url, "/api/entities", token)
        keys = [entity["key"] for entity in body["entities"] if entity["entity_id"] == METER] if status == 200 else []
        if not keys:
            return False
        _, body = await answer(url, "/api/readings", token, key=keys[0], start=min(self.said), end=max(self.said) + 1)
        stored = dict(zip(body["ts_us"], body["value"], strict=True))
        assert stored.items() <= self.said.items(), (stored, self.said)
        return len(stored) == len(self.said)

    async def arrives(self, url: str, token: str) -> None:
        """Wait until a server has all that it said."""

        async def look() -> bool:
            return await self.stored(url, token)

        await true(look, "all readings to be stored", 60)


@pytest_asyncio.fixture(loop_scope="session")
async def project(compose: Engine) -> AsyncIterator[Composed]:
    """Have a project, not yet up."""
    async with composed(compose) as project:
        yield project


@pytest_asyncio.fixture(loop_scope="session")
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """Run Home Assistant."""
    async with homing(tmp_path) as home:
        yield home


@pytest.mark.parametrize("profile", ["none", *compose_profiles()])
async def test_compose_of_the_engine_takes_the_file_with_each_profile(engine: Engine, profile: str) -> None:
    command = ("--file", str(COMPOSE_FILE), "--profile", profile, "config", "--quiet")
    assert await engine.project(*command, environment={}) == ""


async def test_what_home_assistant_said_outlives_restart_and_removal(project: Composed, home: Home) -> None:
    started_s = time.monotonic()
    await project.up()
    figure("compose: up --wait", time.monotonic() - started_s, "s")
    token = await project.token()
    result = await home.connection.flow(INTEGRATION, {"url": project.url, "token": token})
    assert result["type"] == "create_entry"
    meter = Meter(home)
    await meter.say(1)
    await meter.arrives(project.url, token)
    await meter.say(2, 3)
    await meter.arrives(project.url, token)

    await project.do("restart")
    await ready(project.url)
    await meter.say(4, 5)
    await meter.arrives(project.url, token)

    await project.do("down")
    await meter.say(6)
    started_s = time.monotonic()
    await project.up()
    figure("compose: up --wait with data", time.monotonic() - started_s, "s")
    assert await project.token() == token
    await meter.say(7)
    await meter.arrives(project.url, token)
    container = await project.container()
    figure("compose: memory in use", await container.memory_mb(), "MB", MOST_MB)


async def test_it_has_no_more_rights_than_it_needs(project: Composed) -> None:
    await project.up()
    container = await project.container()
    processes = await container.processes()
    assert {user for user, _ in processes.values()} == {8765}
    status = await container.execute("grep", "-E", "^(NoNewPrivs|CapEff|CapBnd):", "/proc/self/status")
    assert dict(line.split() for line in status.splitlines()) == {
        "CapEff:": "0" * 16,
        "CapBnd:": "0" * 16,
        "NoNewPrivs:": "1",
    }
    for path in ("/etc/x", "/opt/energy/x", "/x"):
        with pytest.raises(EngineError, match="Read-only file system"):
            await container.execute("bash", "-c", f"echo >{path}")
    assert await container.inspect(".HostConfig.Memory") == LIMIT_BYTES
    assert await container.inspect(".HostConfig.PidsLimit") == 128
    assert await container.inspect(".HostConfig.ReadonlyRootfs") is True


async def test_only_the_token_opens_it(project: Composed) -> None:
    await project.up()
    token = await project.token()
    for given, expected in ((token, 200), (None, 401), ("x" * 43, 401)):
        assert (await answer(project.url, "/api/status", given))[0] == expected
    said = await project.do("logs", SERVICE)
    assert token not in said


async def test_a_volume_of_somebody_else_says_what_to_do_and_then_works(project: Composed) -> None:
    engine = project.engine
    await project.do("create", "--no-build", "--pull", "never")
    container = await project.container()
    image = str(await container.inspect(".Config.Image"))

    async def own(owner: str) -> None:
        entry = ("--user", "0", "--volume", f"{project.volume}:/data", "--entrypoint", "/bin/sh")
        await engine.run("run", "--rm", *entry, image, "-c", f"chown -R {owner} /data && chmod 0755 /data")

    await own("0:0")
    await project.do("start")
    message = await unready(project.url)
    assert "user 8765" in message
    assert "chown -R 8765:8765" in message
    assert message in await container.logs()
    await own("8765:8765")
    await ready(project.url)

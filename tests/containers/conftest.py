"""The image of this checkout, as `script/test-containers` built it, and what runs it."""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from dev.containers.config import config, image
from dev.containers.engine import Engine
from dev.processes import Process
from tests.containers.app import App, Home, running_app, standing_in
from tests.product.waiting import true

ENGINE = "ENERGY_ENGINE"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its time, not counting what starts the engine, which has its own limits."""
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(150, func_only=True))


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Return the engine."""
    assert ENGINE in os.environ, "these tests are run by script/test-containers"
    return Engine.load(os.environ[ENGINE])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def compose(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    """Return the engine, listening for Compose."""
    if engine.socket is None:
        yield engine
        return
    socket = Path(engine.socket)
    socket.unlink(missing_ok=True)  # noqa: ASYNC240 nothing else runs yet
    command = (engine.command, "system", "service", "--time=0", f"unix://{socket}")
    log = tmp_path_factory.mktemp("socket") / "podman.log"
    process = await Process.start("podman's socket", command, log=log, environment=engine.environment)

    async def is_there() -> bool:
        return socket.exists()  # noqa: ASYNC240 one look

    try:
        await true(is_there, "podman to listen")
        yield engine
    finally:
        await process.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def home(engine: Engine) -> AsyncIterator[Home]:
    """Run a stand-in for the Supervisor, in a network that has its addresses."""
    async with standing_in(engine, image(), config()) as home:
        yield home


@pytest_asyncio.fixture(loop_scope="session")
async def start(home: Home) -> AsyncIterator[Callable[..., Awaitable[App]]]:
    """Return a function that starts the app with some options; all are gone at the end."""
    async with AsyncExitStack() as stack:

        async def start_one(options: str | Mapping[str, Any] | None = None, **ways: Any) -> App:
            chosen = home.options if options is None else options
            text = chosen if isinstance(chosen, str) else json.dumps(chosen)
            return await stack.enter_async_context(running_app(home, text, **ways))

        yield start_one


@pytest_asyncio.fixture(loop_scope="session")
async def app(start: Callable[..., Awaitable[App]]) -> App:
    """Run the app as it is installed."""
    return await start()

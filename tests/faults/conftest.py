"""One real Home Assistant for all faults; a fresh server, with a config entry of its own, for each."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.product.home import Home
from tests.product.load import Load
from tests.product.running import Product, homing, linked, serving


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its time, not counting what starts Home Assistant, which has its own limits."""
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300, func_only=True))


@pytest.fixture(scope="session")
def outage_s() -> float:
    """Return how long a server stays down: seconds, or five minutes where ENERGY_SOAK is set."""
    return 300.0 if os.environ.get("ENERGY_SOAK") else 6.0


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Home]:
    """Run Home Assistant."""
    async with homing(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest_asyncio.fixture(loop_scope="session")
async def start(home: Home, tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Product]]]:
    """Return a function that starts a server and links Home Assistant to it."""
    async with AsyncExitStack() as stack:

        async def start_one(data_path: Path | None = None, settings: Mapping[str, str] | None = None) -> Product:
            running = serving(tmp_path, tmp_path, data_path=data_path, settings=settings)
            server = await stack.enter_async_context(running)
            await stack.enter_async_context(linked(home, server))
            return Product(home, server, tmp_path)

        yield start_one


@pytest_asyncio.fixture(loop_scope="session")
async def product(start: Callable[..., Awaitable[Product]]) -> Product:
    """Run the product with its data on the ordinary disk."""
    return await start()


@pytest.fixture
def load_of(request: pytest.FixtureRequest) -> Callable[..., Load]:
    """Return a function that makes a load of 100 states a second, unless told, on entities of this test's own."""
    name = request.node.name.removeprefix("test_")[:24]

    def make(product: Product, *, entities: int = 4, per_s: float = 100.0) -> Load:
        return Load(product.home, product.folder, name.strip("_"), entities=entities, per_s=per_s)

    return make

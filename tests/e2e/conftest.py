"""One product for all end-to-end tests: Home Assistant with days of history, the server, the dashboard in a browser."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from dev.processes import free_port
from tests.e2e.oven import ENERGY, NAME, POWER, Oven
from tests.product.browser import DESKTOP, PHONE, Watched, browsing, looking
from tests.product.running import FIRST_PORT, Product, add_device, build_dashboard, running

HISTORY_DAYS = 3
INGRESS_PORT = FIRST_PORT + 100


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its time, not counting what starts the product, which has its own limits."""
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(90, func_only=True))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """Run the product."""
    folder = tmp_path_factory.mktemp("product")
    settings = {"ENERGY_INGRESS_PORT": str(free_port(INGRESS_PORT)), "ENERGY_INGRESS_PEER": "127.0.0.1"}
    async with running(folder, await build_dashboard(folder), days=HISTORY_DAYS, settings=settings) as product:
        await add_device(product.home, NAME, ENERGY, POWER)
        yield product


@pytest_asyncio.fixture(loop_scope="session")
async def product(shared: Product) -> AsyncIterator[Product]:
    """Return the product, connected; afterwards Home Assistant's log has no error of the integration."""
    await shared.server.connected(60)
    before = len(shared.home.lines())
    yield shared
    errors = [line for line in shared.home.lines()[before:] if line.level in {"ERROR", "CRITICAL"}]
    assert errors == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Run a browser."""
    async with browsing() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(browser: Browser) -> AsyncIterator[Watched]:
    """Open an empty page of a browser that never was here."""
    async with looking(browser, DESKTOP) as watched:
        yield watched


@pytest_asyncio.fixture(loop_scope="session")
async def desktop(product: Product, stranger: Watched) -> AsyncIterator[Watched]:
    """Open the dashboard; afterwards nothing has gone wrong in it that the test did not expect."""
    await stranger.page.goto(f"{product.server.url}/#token={product.server.token}")
    yield stranger
    assert stranger.troubles == []


@pytest_asyncio.fixture(loop_scope="session")
async def phone(product: Product, browser: Browser) -> AsyncIterator[Watched]:
    """Open the dashboard on a phone."""
    async with looking(browser, PHONE) as watched:
        await watched.page.goto(f"{product.server.url}/#token={product.server.token}")
        yield watched
        assert watched.troubles == []


@pytest_asyncio.fixture(loop_scope="session")
async def oven(product: Product) -> Oven:
    """Return an oven that is on, and known to the server."""
    oven = Oven(product.home, product.server)
    await oven.uses(8_000.0)
    await oven.arrived()
    return oven

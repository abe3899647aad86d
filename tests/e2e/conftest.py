"""One product for all end-to-end tests: Home Assistant with days of history, the server, the dashboard in a browser."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from dev.ha import Place
from dev.processes import free_port
from tests.e2e.opening import open_dashboard
from tests.e2e.oven import ENERGY, NAME, POWER, Oven
from tests.product.browser import DESKTOP, PHONE, Watched, browsing, looking
from tests.product.running import FIRST_PORT, Product, add_device, build_dashboard, running

HISTORY_DAYS = 3
INGRESS_PORT = FIRST_PORT + 100
TEST_S = 180
ZONE = ZoneInfo(Place().time_zone)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its time, not counting what starts the product, which has its own limits."""
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TEST_S, func_only=True))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """Run the product."""
    folder = tmp_path_factory.mktemp("product")
    settings = {"ENERGY_INGRESS_PORT": str(free_port(INGRESS_PORT)), "ENERGY_INGRESS_PEER": "127.0.0.1"}
    async with running(folder, await build_dashboard(folder), days=HISTORY_DAYS, settings=settings) as product:
        await add_device(product.home, NAME, ENERGY, POWER)
        yield product


def until_midnight_s() -> float:
    midnight = datetime.combine(datetime.now(ZONE) + timedelta(days=1), time(), ZONE)
    return (midnight.astimezone(UTC) - datetime.now(UTC)).total_seconds()


async def calm(product: Product) -> None:
    """Wait until the home's day lasts longer than a test may, and something is known of it."""
    if (left_s := until_midnight_s()) < TEST_S:
        await asyncio.sleep(left_s + 1)
    today = datetime.now(ZONE).date()
    span = {"start": str(today), "end": str(today + timedelta(days=1)), "zone": ZONE.key}

    async def known() -> bool | None:
        totals = (await product.server.get("/api/energy", resolution="total", **span))["totals"]
        return totals["home"] is not None or None

    await product.server.until(known, "something of today", 60)


@pytest_asyncio.fixture(loop_scope="session")
async def product(shared: Product) -> AsyncIterator[Product]:
    """Return the product, connected, on a day that goes on; afterwards Home Assistant's log has no error of ours."""
    await shared.server.connected(60)
    await calm(shared)
    before = len(shared.home.lines())
    yield shared
    errors = [line for line in shared.home.lines()[before:] if line.level in {"ERROR", "CRITICAL"}]
    assert errors == []


@pytest.fixture
def today(product: Product) -> date:  # noqa: ARG001 it waits for a day that goes on
    """Return the home's date."""
    return datetime.now(ZONE).date()


@pytest.fixture
def full_day(today: date) -> date:
    """Return a day that is all in the statistics that Home Assistant had before us, also if midnight passed since."""
    return today - timedelta(days=2)


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
    await open_dashboard(stranger.page, product.server)
    yield stranger
    assert stranger.troubles == []


@pytest_asyncio.fixture(loop_scope="session")
async def phone(product: Product, browser: Browser) -> AsyncIterator[Watched]:
    """Open the dashboard on a phone."""
    async with looking(browser, PHONE) as watched:
        await open_dashboard(watched.page, product.server)
        yield watched
        assert watched.troubles == []


@pytest_asyncio.fixture(loop_scope="session")
async def oven(product: Product) -> Oven:
    """Return an oven that is on, and known to the server."""
    oven = Oven(product.home, product.server)
    await oven.uses(8_000.0)
    await oven.arrived()
    return oven

"""axe finds no violation in any view, in both themes, on both sizes of screen."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.product.browser import DESKTOP, PHONE, looking
from tests.product.running import Product

AXE = Path(__file__).resolve().parents[2] / "addon" / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
RUN = "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"
VIEWS = (
    "now",
    "energy",
    "energy?week=now",
    "energy?month=now",
    "energy?year=now",
    "energy?from=2020-01-30&to=2020-02-02",  # before anything is known
    "energy?day=2100-01-01",
    "status",
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def violations(page: Page) -> list[str]:
    """Return what axe says of what is shown."""
    await page.wait_for_load_state("networkidle")
    await page.evaluate(AXE.read_text(encoding="utf-8"))  # not as a script, which the page's policy refuses
    found = await page.evaluate(RUN)
    return [f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']]}" for one in found]


async def see(page: Page, url: str, theme: str) -> None:
    """Open a view in a theme."""
    await page.goto(f"{url}{'&' if '?' in url else '?'}theme={theme}")
    await expect(page.get_by_role("main")).to_be_visible()


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest_asyncio.fixture(loop_scope="session", params=[DESKTOP, PHONE], ids=["desktop", "phone"])
async def page(request: pytest.FixtureRequest, product: Product, browser: Browser) -> AsyncIterator[Page]:
    """Open the dashboard on each size of screen."""
    async with looking(browser, request.param) as watched:
        await watched.page.goto(f"{product.server.url}/#token={product.server.token}")
        await expect(watched.page.get_by_role("main")).to_be_visible()
        yield watched.page


async def test_no_view_has_a_violation(product: Product, page: Page, theme: str) -> None:
    for view in VIEWS:
        await see(page, f"{product.server.url}/{view}", theme)
        assert await violations(page) == [], view


async def test_nothing_that_opens_in_energy_has_a_violation(product: Product, page: Page, theme: str) -> None:
    await see(page, f"{product.server.url}/energy?compare=before", theme)
    await page.wait_for_load_state("networkidle")
    opener = page.get_by_role("button", name="Show as table")
    count = await opener.count()
    assert count >= 2
    for left in reversed(range(count)):
        await opener.first.click()  # its name changes to what hides the table again
        await expect(opener).to_have_count(left)
    assert await violations(page) == [], "tables"
    await page.locator("ed-compare-menu").get_by_role("button").click()
    await expect(page.get_by_role("menu")).to_be_visible()
    assert await violations(page) == [], "menu"


async def test_nothing_that_opens_in_status_has_a_violation(product: Product, page: Page, theme: str) -> None:
    await see(page, f"{product.server.url}/status", theme)
    calendar = page.get_by_role("group", name="Completeness of the last twelve months")
    await calendar.focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Close the day")).to_be_visible()
    await page.get_by_role("button", name="Backfill now").click()
    assert await violations(page) == []


async def test_signing_in_has_no_violation(product: Product, browser: Browser, theme: str) -> None:
    async with looking(browser, PHONE) as watched:
        await watched.page.goto(f"{product.server.url}/?theme={theme}")
        await expect(watched.page.get_by_label("Token")).to_be_visible()
        assert await violations(watched.page) == []

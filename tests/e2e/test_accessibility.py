"""axe finds no violation in any view, in both themes, on both sizes of screen."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.e2e.opening import open_dashboard
from tests.product.browser import DESKTOP, PHONE, looking
from tests.product.running import Product

AXE = Path(__file__).resolve().parents[2] / "addon" / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
RUN = "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"
CARDS: Mapping[str, tuple[str, ...]] = {
    "now": ("Power now", "Last 60 minutes", "Today"),
    "energy": ("Totals", "Who fed whom", "Devices", "Gas by", "Water by"),
    "status": ("Last twelve months", "Sync log", "Backfill", "Connection", "Entities"),
}
"""What a view consists of."""
LATE: Mapping[str, tuple[str, str]] = {"now": ("Today", "dd"), "status": ("Sync log", "li")}
"""What a card that is there at once gets when it has been fetched."""
VIEWS = ("now", "energy", "energy?week=now", "energy?month=now", "energy?year=now", "status")
WORDS: Mapping[str, str] = {
    "energy?from=2020-01-30&to=2020-02-02": "Nothing is known of",
    "energy?day=2100-01-01": "has not begun",
}
"""What is said of periods of which there is nothing to show."""
TABLES = 4  # the period, who fed whom, gas, water

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def violations(page: Page) -> list[str]:
    """Return what axe says of what is shown."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))  # not as a script, which the page's policy refuses
    found = await page.evaluate(RUN)
    return [f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']]}" for one in found]


async def open_view(page: Page, url: str, theme: str) -> None:
    """Open a view in a theme."""
    await page.goto(f"{url}{'&' if '?' in url else '?'}theme={theme}")
    await expect(page.locator("html")).to_have_attribute("data-theme", theme)


async def see(page: Page, product: Product, view: str, theme: str) -> None:
    """Open a view in a theme, and wait until it has its data."""
    await open_view(page, f"{product.server.url}/{view}", theme)
    name = view.partition("?")[0]
    for card in CARDS[name]:
        await expect(page.get_by_role("region", name=card)).to_be_visible()
    if name in LATE:
        card, element = LATE[name]
        await expect(page.get_by_role("region", name=card).locator(element).first).to_be_visible()


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest_asyncio.fixture(loop_scope="session", params=[DESKTOP, PHONE], ids=["desktop", "phone"])
async def page(request: pytest.FixtureRequest, product: Product, browser: Browser) -> AsyncIterator[Page]:
    """Open the dashboard on each size of screen."""
    async with looking(browser, request.param) as watched:
        await open_dashboard(watched.page, product.server)
        yield watched.page


async def test_no_view_has_a_violation(product: Product, page: Page, theme: str) -> None:
    for view in VIEWS:
        await see(page, product, view, theme)
        assert await violations(page) == [], view


async def test_no_words_in_the_place_of_a_period_have_a_violation(product: Product, page: Page, theme: str) -> None:
    for view, words in WORDS.items():
        await open_view(page, f"{product.server.url}/{view}", theme)
        await expect(page.get_by_role("heading", name=words)).to_be_visible()
        assert await violations(page) == [], view


async def test_nothing_that_opens_in_energy_has_a_violation(product: Product, page: Page, theme: str) -> None:
    await see(page, product, "energy?compare=before", theme)
    opener = page.get_by_role("button", name="Show as table")
    await expect(opener).to_have_count(TABLES)
    for left in reversed(range(TABLES)):
        await opener.first.click()  # its name changes to what hides the table again
        await expect(opener).to_have_count(left)
    assert await violations(page) == [], "tables"
    await page.locator("ed-compare-menu").get_by_role("button").click()
    await expect(page.get_by_role("menu")).to_be_visible()
    assert await violations(page) == [], "menu"


async def test_nothing_that_opens_in_status_has_a_violation(product: Product, page: Page, theme: str) -> None:
    await see(page, product, "status", theme)
    calendar = page.get_by_role("group", name="Completeness of the last twelve months")
    await calendar.focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Close the day")).to_be_visible()
    await page.get_by_role("button", name="Backfill now").click()
    await expect(page.get_by_role("button", name="Begin")).to_be_visible()
    assert await violations(page) == []


async def test_signing_in_has_no_violation(product: Product, browser: Browser, theme: str) -> None:
    async with looking(browser, PHONE) as watched:
        await open_view(watched.page, f"{product.server.url}/", theme)
        await expect(watched.page.get_by_label("Token")).to_be_visible()
        assert await violations(watched.page) == []

"""axe finds no violation in any view, in both themes, on both sizes of screen."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.product.browser import DESKTOP, PHONE, looking
from tests.product.running import Product

AXE = Path(__file__).resolve().parents[2] / "addon" / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
RUN = "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"
VIEWS = ("now", "energy", "energy?week=now", "energy?month=now", "energy?year=now", "status")

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def violations(page: Page, url: str) -> list[str]:
    """Open a view, and return what axe says of it."""
    await page.goto(url)
    await expect(page.get_by_role("main")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    await page.evaluate(AXE.read_text(encoding="utf-8"))  # not as a script, which the page's policy refuses
    found = await page.evaluate(RUN)
    return [f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']]}" for one in found]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_no_view_has_a_violation(product: Product, browser: Browser, theme: str, size: ViewportSize) -> None:
    server = product.server
    async with looking(browser, size) as watched:
        await watched.page.goto(f"{server.url}/#token={server.token}")
        await expect(watched.page.get_by_role("main")).to_be_visible()
        for view in VIEWS:
            joint = "&" if "?" in view else "?"
            found = await violations(watched.page, f"{server.url}/{view}{joint}theme={theme}")
            assert found == [], view

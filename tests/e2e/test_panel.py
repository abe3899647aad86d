"""The dashboard in Home Assistant's own sidebar, for the owner and for a plain user, on a desktop and on a phone."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FrameLocator, Page, expect

from dev.ha import Connection, User, log_in
from tests.e2e.oven import Oven
from tests.product.browser import DESKTOP, PHONE, Watched, looking
from tests.product.proxy import Proxy
from tests.product.running import Product
from tests.product.waiting import true

PLAIN = User(name="Plain", username="plain", password="plain")
TITLE = "Energy Dashboard"

AT = "(_, address) => location.href === new URL(address, document.baseURI).href"
AWAY_AND_BACK = """
panel => new Promise(resolve => {
  const { hass } = document.querySelector('home-assistant');
  panel.shadowRoot.querySelector('iframe').addEventListener('load', resolve, { once: true });
  panel.hass = { ...hass, connected: false };
  panel.hass = hass;
})
"""

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True, slots=True)
class Panel:
    """The panel in a browser that is logged in to Home Assistant."""

    watched: Watched

    @property
    def page(self) -> Page:
        return self.watched.page

    @property
    def dashboard(self) -> FrameLocator:
        return self.page.frame_locator('iframe[title="Energy Dashboard"]')

    async def is_at(self, url: str, address: str) -> None:
        """Wait until Home Assistant has the panel's address, and the browser's history the dashboard's."""
        await expect(self.page).to_have_url(f"{url}/{address}" if address else url)

        async def kept() -> bool:
            return bool(await self.dashboard.locator("html").evaluate(AT, address or "now"))

        await true(kept, f"{address} in the browser's history")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def plain_user(shared: Product) -> User:
    """Add a user who is not an administrator."""
    installation = shared.home.installation
    tokens = await log_in(installation, shared.home.user)
    async with Connection(installation.url, tokens["access_token"]) as connection:
        created = await connection.command("config/auth/create", name=PLAIN.name, group_ids=["system-users"])
        await connection.command(
            "config/auth_provider/homeassistant/create",
            user_id=created["user"]["id"],
            username=PLAIN.username,
            password=PLAIN.password,
        )
    return PLAIN


async def open_panel(product: Product, watched: Watched, user: User, narrow: bool, url: str = "") -> Panel:  # noqa: FBT001 which it is
    """Log in by Home Assistant's form, at its own address or the given one, and choose the panel in the sidebar."""
    page, home = watched.page, url or product.home.installation.url
    await page.goto(home)
    await page.locator("input[name=username]").fill(user.username)
    await page.locator("input[name=password]").fill(user.password)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/home(/|$)"), timeout=60_000)
    if narrow:
        await page.get_by_role("button", name="Sidebar toggle").first.click()
    await page.get_by_role("link", name=TITLE, exact=True).click()
    await expect(page).to_have_url(f"{home}/energy-dashboard")
    return Panel(watched)


@pytest_asyncio.fixture(loop_scope="session", params=["owner", "plain user"])
async def user(request: pytest.FixtureRequest, product: Product, plain_user: User) -> User:
    """Return each user in turn."""
    return plain_user if request.param == "plain user" else product.home.user


@pytest_asyncio.fixture(loop_scope="session", params=["desktop", "phone"])
async def panel(request: pytest.FixtureRequest, product: Product, browser: Browser, user: User) -> AsyncIterator[Panel]:
    """Open the panel as each user on each screen; afterwards nothing has gone wrong."""
    narrow = request.param == "phone"
    async with looking(browser, PHONE if narrow else DESKTOP) as watched:
        yield await open_panel(product, watched, user, narrow)
        assert watched.troubles == []


async def test_the_sidebar_opens_the_dashboard_with_live_values(panel: Panel) -> None:
    dashboard = panel.dashboard
    await expect(dashboard.get_by_role("region", name="Power now")).to_be_visible()
    home = dashboard.get_by_role("group", name="Home", exact=True).locator("ed-live-number").first
    await expect(home).to_have_text(re.compile(r"^\d+\.\d\d$"))
    await expect(home).not_to_have_text(await home.text_content() or "", timeout=60_000)
    for view, card in (("Energy", "Totals"), ("Status", "Entities"), ("Now", "Power now")):
        link = dashboard.get_by_role("link", name=view, exact=True)
        await link.click()
        await expect(link).to_have_attribute("aria-current", "page")
        await expect(dashboard.get_by_role("region", name=card)).to_be_visible()


async def test_a_change_in_home_assistant_is_shown(
    product: Product, stranger: Watched, oven: Oven, plain_user: User
) -> None:
    panel = await open_panel(product, stranger, plain_user, narrow=False)
    number = panel.dashboard.get_by_role("listitem", name="Oven").locator("ed-live-number").first
    for watts in (9_111.0, 8_222.0):
        await oven.uses(watts)
        await expect(number).to_have_text(f"{watts / 1000:.2f}")
    assert stranger.troubles == []


async def test_no_script_and_no_other_path_sees_the_session(panel: Panel, product: Product) -> None:
    await expect(panel.dashboard.get_by_role("region", name="Power now")).to_be_visible()
    cookies = await panel.page.context.cookies()
    ours = [cookie for cookie in cookies if cookie["name"] == "energy_dashboard_panel"]
    assert [(cookie["httpOnly"], cookie["sameSite"]) for cookie in ours] == [(True, "Strict")]
    assert ours[0]["path"].startswith("/api/energy_dashboard/proxy/")
    assert [cookie["name"] for cookie in cookies if cookie not in ours] == []
    shown = await panel.page.content() + await panel.dashboard.locator("html").inner_html()
    assert product.server.token not in shown


BACKFILL = """
async () => (await fetch('api/backfill', {
  method: 'POST', body: JSON.stringify({ start: Date.now() * 1000 - 7200e6, end: Date.now() * 1000 - 3600e6 }),
})).status
"""


async def test_a_proxy_that_drops_the_port_is_no_obstacle(product: Product, stranger: Watched, oven: Oven) -> None:
    port = int(product.home.installation.url.rpartition(":")[2])
    proxy = Proxy(port, drops_port=True)
    async with proxy.listening():
        panel = await open_panel(product, stranger, product.home.user, narrow=False, url=proxy.url)
        number = panel.dashboard.get_by_role("listitem", name="Oven").locator("ed-live-number").first
        for watts in (7_333.0, 6_444.0):
            await oven.uses(watts)
            await expect(number).to_have_text(f"{watts / 1000:.2f}")
        assert await panel.dashboard.locator("html").evaluate(BACKFILL) == 200
        assert stranger.troubles == []
        await panel.page.close()


async def test_on_a_phone_the_way_back_to_the_sidebar_stays(
    product: Product, browser: Browser, plain_user: User
) -> None:
    async with looking(browser, PHONE) as watched:
        panel = await open_panel(product, watched, plain_user, narrow=True)
        await expect(panel.dashboard.get_by_role("region", name="Power now")).to_be_visible()
        assert await panel.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        await panel.dashboard.get_by_role("button", name="Menu", exact=True).tap()
        await expect(panel.page.get_by_role("link", name="Overview", exact=True)).to_be_visible()


async def test_a_home_assistant_that_comes_back_without_sessions_is_asked_for_a_new_one(
    product: Product, browser: Browser, plain_user: User
) -> None:
    async with looking(browser, DESKTOP) as watched:
        panel = await open_panel(product, watched, plain_user, narrow=False)
        await expect(panel.dashboard.get_by_role("region", name="Power now")).to_be_visible()
        await panel.page.context.clear_cookies(name="energy_dashboard_panel")
        element = panel.page.locator("energy-dashboard-panel")
        await element.evaluate(AWAY_AND_BACK)
        await expect(panel.dashboard.get_by_role("region", name="Power now")).to_be_visible()
        cookies = await panel.page.context.cookies()
        assert [cookie["name"] for cookie in cookies] == ["energy_dashboard_panel"]


async def test_a_reload_in_home_assistant_opens_the_same_view(
    product: Product, browser: Browser, plain_user: User
) -> None:
    async with looking(browser, DESKTOP) as watched:
        panel = await open_panel(product, watched, plain_user, narrow=False)
        own = f"{product.home.installation.url}/energy-dashboard"
        await panel.dashboard.get_by_role("link", name="Energy", exact=True).click()
        await panel.is_at(own, "energy")
        await panel.dashboard.get_by_role("button", name="Month", exact=True).click()
        await panel.is_at(own, "energy?month=now")
        await panel.page.go_back()
        await panel.is_at(own, "energy")
        await panel.dashboard.get_by_role("button", name="Year", exact=True).click()
        await panel.is_at(own, "energy?year=now")
        await panel.page.reload()
        year = panel.dashboard.get_by_role("button", name="Year", exact=True)
        await expect(year).to_have_attribute("aria-pressed", "true", timeout=30_000)
        await expect(panel.page).to_have_url(f"{own}/energy?year=now")
        await panel.page.get_by_role("link", name=TITLE, exact=True).click()
        await expect(panel.dashboard.get_by_role("region", name="Power now")).to_be_visible()
        await expect(panel.page).to_have_url(own)
        assert watched.troubles == []


async def test_a_removed_user_sees_nothing_more(product: Product, browser: Browser) -> None:
    installation = product.home.installation
    tokens = await log_in(installation, product.home.user)
    guest = User(name="Guest", username="guest", password="guest")
    async with Connection(installation.url, tokens["access_token"]) as connection, looking(browser, DESKTOP) as watched:
        created = await connection.command("config/auth/create", name=guest.name, group_ids=["system-users"])
        user_id = created["user"]["id"]
        await connection.command(
            "config/auth_provider/homeassistant/create",
            user_id=user_id,
            username=guest.username,
            password=guest.password,
        )
        panel = await open_panel(product, watched, guest, narrow=False)
        await expect(panel.dashboard.get_by_role("region", name="Power now")).to_be_visible()
        page = f"{installation.url}{await panel.dashboard.owner.get_attribute('src')}"
        assert (await panel.page.context.request.get(page)).status == 200
        await connection.command("config/auth/delete", user_id=user_id)
        assert (await panel.page.context.request.get(page)).status == 401
        await panel.page.context.clear_cookies(name="energy_dashboard_panel")
        assert (await panel.page.context.request.get(page)).status == 401


async def test_logging_out_ends_the_panel(product: Product, browser: Browser, plain_user: User) -> None:
    async with looking(browser, DESKTOP) as watched:
        panel = await open_panel(product, watched, plain_user, narrow=False)
        await expect(panel.dashboard.get_by_role("region", name="Power now")).to_be_visible()
        page = f"{product.home.installation.url}{await panel.dashboard.owner.get_attribute('src')}"
        answer = await panel.page.context.request.get(page)
        assert answer.status == 200
        # Not waited for in the page, which Home Assistant's frontend leaves as soon as it is logged out.
        await panel.page.evaluate("void document.querySelector('home-assistant').hass.auth.revoke()")

        async def refused() -> bool:
            return (await panel.page.context.request.get(page)).status == 401

        await true(refused, "the session to end")

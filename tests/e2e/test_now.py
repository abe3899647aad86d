"""Now: the dashboard shows what Home Assistant shows, as it changes."""

import re

import pytest
from playwright.async_api import Locator, expect

from tests.e2e.oven import Oven
from tests.product.browser import Watched
from tests.product.running import Product
from tests.product.waiting import true

TILES = {"Solar": "sensor.home_solar_power", "Grid": "sensor.home_grid_power", "Battery": "sensor.home_battery_power"}

A_POWER = re.compile(r"^\d+\.\d\d$")

pytestmark = pytest.mark.asyncio(loop_scope="session")


def printed(watts: float) -> str:
    return f"{watts / 1000:.2f}"


def is_printed(text: str | None, watts: float) -> bool:
    """Say whether a text is a power in kW, without its sign; half of a hundredth may be rounded either way."""
    return float(text or "nan") == pytest.approx(abs(watts) / 1000, abs=0.005 + 1e-9)


def number_of(watched: Watched, tile: str) -> Locator:
    return watched.page.get_by_role("group", name=tile, exact=True).locator("ed-live-number").first


async def test_the_token_in_the_address_opens_it_and_is_gone(product: Product, desktop: Watched) -> None:
    page = desktop.page
    await expect(page.get_by_role("heading", name="Power now")).to_be_visible()
    assert product.server.token not in page.url
    await expect(page.get_by_role("link", name="Now", exact=True)).to_have_attribute("aria-current", "page")
    await page.reload()  # the session lasts
    await expect(page.get_by_role("heading", name="Power now")).to_be_visible()


@pytest.mark.parametrize("tile", TILES)
async def test_a_tile_shows_the_state_of_home_assistant(product: Product, desktop: Watched, tile: str) -> None:
    number = number_of(desktop, tile)
    await expect(number).to_be_visible()
    entity = await product.server.known(TILES[tile])
    await expect(number).to_have_attribute("data-entity", entity["key"])

    async def same() -> bool:
        state = float(await product.home.state(TILES[tile]))
        return is_printed(await number.text_content(), max(0.0, state) if tile == "Solar" else state)

    await true(same, f"the tile {tile} to show {TILES[tile]}")


async def test_tiles_change_by_themselves(desktop: Watched) -> None:
    number = number_of(desktop, "Home")
    await expect(number).to_have_text(A_POWER)
    for _ in range(2):
        shown = await number.text_content() or ""
        assert A_POWER.search(shown)
        await expect(number).not_to_have_text(shown, timeout=60_000)


async def test_a_change_in_home_assistant_is_shown(oven: Oven, desktop: Watched) -> None:
    number = desktop.page.get_by_role("listitem", name="Oven").locator("ed-live-number").first
    await expect(number).to_have_text("8.00")
    for watts in (9_123.4, 7_654.3, 9_999.0):
        await oven.uses(watts)
        await expect(number).to_have_text(printed(watts))


async def test_on_a_phone_the_views_are_at_the_bottom(phone: Watched) -> None:
    page = phone.page
    navigation = page.get_by_role("navigation", name="Views")
    await expect(navigation).to_be_visible()
    for view, card in (("Energy", "Devices"), ("Status", "Last twelve months"), ("Now", "Last 60 minutes")):
        box = await navigation.bounding_box()
        assert box is not None
        assert round(box["y"] + box["height"]) == 844
        await navigation.get_by_role("link", name=view).tap()
        await expect(navigation.get_by_role("link", name=view)).to_have_attribute("aria-current", "page")
        await expect(page.get_by_role("region", name=card)).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_everything_is_reached_by_keyboard(desktop: Watched) -> None:
    page = desktop.page
    await expect(page.get_by_role("heading", name="Power now")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    for view in ("Now", "Energy"):
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name=view, exact=True)).to_be_focused()
    await page.keyboard.press("Enter")
    period = page.get_by_role("group", name="Period").get_by_role("heading")
    await expect(period).to_be_visible()
    today = await period.text_content()
    await page.keyboard.press("ArrowLeft")
    await expect(period).not_to_have_text(today or "")
    await page.keyboard.press("ArrowRight")
    await expect(period).to_have_text(today or "")

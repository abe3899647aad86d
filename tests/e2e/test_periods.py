"""The period of the Energy view, by finger, by keys and by address; what follows from it in every card."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Locator, Page, expect

from tests.product.browser import Watched
from tests.product.running import Product

ZONE = ZoneInfo("Europe/Amsterdam")
LEAST_TARGET_PX = 44
SWIPE_STEPS = 6

pytestmark = pytest.mark.asyncio(loop_scope="session")


def today() -> date:
    """Return the home's date."""
    return datetime.now(ZONE).date()


def words(day: date) -> str:
    """Return a day as the period bar names it."""
    return f"{day:%A} {day.day} {day:%B %Y}"


async def swipe(bar: Locator, by: int) -> None:
    """Draw a finger over the bar, as a screen tells the browser of it, which may take it for scrolling."""
    box = await bar.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    screen = await bar.page.context.new_cdp_session(bar.page)
    for step in range(SWIPE_STEPS + 1):
        point = {"x": x + by * step / SWIPE_STEPS, "y": y}
        kind = "touchMove" if step else "touchStart"
        await screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    await screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await screen.detach()


async def open_energy(watched: Watched, product: Product, query: str = "") -> Page:
    """Open the view at a period."""
    page = watched.page
    await expect(page.get_by_role("main")).to_be_visible()
    await page.goto(f"{product.server.url}/energy{query}")
    await expect(page.get_by_role("group", name="Period", exact=True)).to_be_visible()
    return page


async def test_the_arrow_keys_step_the_period_and_the_address_follows(product: Product, desktop: Watched) -> None:
    page = await open_energy(desktop, product)
    heading = page.get_by_role("group", name="Period", exact=True).get_by_role("heading")
    await expect(heading).to_have_text(words(today()))
    await page.keyboard.press("ArrowLeft")
    yesterday = today() - timedelta(days=1)
    await expect(heading).to_have_text(words(yesterday))
    await expect(page).to_have_url(f"{product.server.url}/energy?day={yesterday}")
    await page.keyboard.press("ArrowRight")
    await expect(heading).to_have_text(words(today()))
    await page.keyboard.press("ArrowRight")  # tomorrow has not begun
    await expect(heading).to_have_text(words(today()))
    await page.go_back()
    await expect(heading).to_have_text(words(yesterday))


async def test_a_swipe_on_the_bar_steps_the_period(product: Product, phone: Watched) -> None:
    page = await open_energy(phone, product)
    bar = page.get_by_role("group", name="Period", exact=True)
    heading = bar.get_by_role("heading")
    await expect(heading).to_have_text(words(today()))
    await swipe(bar, 90)
    await expect(heading).to_have_text(words(today() - timedelta(days=1)))
    await swipe(bar, 20)  # not far enough to be meant
    await swipe(bar, -90)
    await expect(heading).to_have_text(words(today()))


async def test_the_comparison_is_chosen_by_keys(product: Product, desktop: Watched) -> None:
    page = await open_energy(desktop, product)
    opener = page.locator("ed-compare-menu").get_by_role("button")
    await opener.focus()
    await page.keyboard.press("ArrowDown")
    menu = page.get_by_role("menu")
    await expect(menu.get_by_role("menuitemradio", name="With the day before")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(menu).to_have_count(0)
    await expect(opener).to_be_focused()
    await expect(page).to_have_url(f"{product.server.url}/energy?compare=none")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)
    await expect(opener).to_be_focused()


async def test_a_link_opens_the_same_period_again(product: Product, desktop: Watched) -> None:
    month = f"{today():%Y-%m}"
    page = await open_energy(desktop, product, f"?month={month}&compare=year")
    await expect(page.get_by_role("button", name="Month", exact=True)).to_have_attribute("aria-pressed", "true")
    first, last = today() - timedelta(days=2), today() - timedelta(days=1)
    await page.goto(f"{product.server.url}/energy?from={last}&to={first}")  # backwards
    await expect(page.get_by_label("First day")).to_have_value(first.isoformat())
    await expect(page.get_by_label("Last day")).to_have_value(last.isoformat())
    await page.goto(f"{product.server.url}/energy?day=2999-01-01")
    await expect(page.get_by_text("has not begun")).to_be_visible()
    await page.goto(f"{product.server.url}/energy?day=2001-01-01")
    await expect(page.get_by_text("Nothing is known of Monday 1 January 2001")).to_be_visible()


async def test_devices_are_printed_alike_everywhere(product: Product, desktop: Watched) -> None:
    await product.server.imported()
    page = await open_energy(desktop, product, f"?day={today() - timedelta(days=1)}")
    devices = page.get_by_role("region", name="Devices")
    await expect(devices).to_be_visible()
    rows = devices.locator("tbody tr")
    printed = {
        (await row.get_by_role("rowheader").inner_text()).strip(): (
            await row.locator("td.amount").text_content() or ""
        ).strip()
        for row in await rows.all()
        if await row.locator("td.amount").count()
    }
    assert len(printed) > 5
    totals = page.get_by_role("region", name="Totals")
    for row in await totals.locator("tbody").nth(1).locator("tr").all():
        name = (await row.get_by_role("rowheader").inner_text()).strip()
        if name in printed:
            assert (await row.get_by_role("cell").first.text_content() or "").strip() == printed[name]
    flows = page.get_by_role("region", name="Who fed whom")
    await flows.get_by_role("button", name="Show as table").click()
    await expect(flows.locator("tbody tr").first).to_be_visible()
    for row in await flows.locator("tbody tr").all():
        name = (await row.get_by_role("cell").first.text_content() or "").strip()
        if name in printed and (await row.get_by_role("rowheader").inner_text()).strip() == "Home":
            exact = float(await row.get_by_role("cell").nth(1).text_content() or "")
            assert exact == pytest.approx(float(printed[name]), abs=0.1)
    parts = devices.locator("tbody tr.part")
    shown = await parts.count()
    assert shown > 0
    await devices.get_by_role("button", name="Hide parts of").first.click()
    await expect(parts).not_to_have_count(shown)


async def test_gas_and_water_have_bars_that_can_be_read(product: Product, desktop: Watched) -> None:
    await product.server.imported()
    day = today() - timedelta(days=1)
    page = await open_energy(desktop, product, f"?day={day}")
    known = await product.server.get("/api/energy", start=str(day), end=str(today()), resolution="total", zone=ZONE.key)
    for name in ("gas", "water"):
        region = page.get_by_role("region", name=f"{name.capitalize()} by hour")
        await expect(region.get_by_role("status")).to_contain_text(f"{known[name]['total']:.2f}")
        await region.get_by_role("button", name="Show as table").click()
        await expect(region.locator("tbody tr")).to_have_count(24)


async def test_what_a_finger_meets_is_large_enough(product: Product, phone: Watched) -> None:
    page = await open_energy(phone, product)
    bar = page.get_by_role("group", name="Period", exact=True)
    for target in await bar.get_by_role("button").all():
        box = await target.bounding_box()
        assert box is not None
        assert box["height"] >= LEAST_TARGET_PX, await target.text_content()

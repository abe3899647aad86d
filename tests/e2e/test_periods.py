"""The period of the Energy view, by finger, by keys and by address; what follows from it in every card."""

import re
from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from playwright.async_api import Locator, Page, expect

from dev.ha import Place
from tests.product.browser import Watched
from tests.product.running import Product

ZONE = Place().time_zone
LEAST_TARGET_PX = 44
NAMED_USES = 2
BUTTONS = 8  # back, on, five kinds, what is compared
SWIPE_STEPS = 6

pytestmark = pytest.mark.asyncio(loop_scope="session")


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
    await page.goto(f"{product.server.url}/energy{query}")
    await expect(page.get_by_role("group", name="Period", exact=True)).to_be_visible()
    return page


async def test_the_arrow_keys_step_the_period_and_the_address_follows(
    product: Product, desktop: Watched, today: date
) -> None:
    page = await open_energy(desktop, product)
    heading = page.get_by_role("group", name="Period", exact=True).get_by_role("heading")
    await expect(heading).to_have_text(words(today))
    await page.keyboard.press("ArrowLeft")
    yesterday = today - timedelta(days=1)
    await expect(heading).to_have_text(words(yesterday))
    await expect(page).to_have_url(f"{product.server.url}/energy?day={yesterday}")
    await page.keyboard.press("ArrowRight")
    await expect(heading).to_have_text(words(today))
    await expect(page).to_have_url(f"{product.server.url}/energy")
    await page.keyboard.press("ArrowRight")  # tomorrow has not begun
    await expect(heading).to_have_text(words(today))
    await page.go_back()
    await expect(heading).to_have_text(words(yesterday))


async def test_a_swipe_on_the_bar_steps_the_period(product: Product, phone: Watched, today: date) -> None:
    page = await open_energy(phone, product)
    bar = page.get_by_role("group", name="Period", exact=True)
    heading = bar.get_by_role("heading")
    await expect(heading).to_have_text(words(today))
    await swipe(bar, 90)
    await expect(heading).to_have_text(words(today - timedelta(days=1)))
    await swipe(bar, 20)  # not far enough to be meant
    await swipe(bar, -90)
    await expect(heading).to_have_text(words(today))


async def test_the_comparison_is_chosen_by_keys(product: Product, desktop: Watched) -> None:
    page = await open_energy(desktop, product)
    opener = page.locator("ed-compare-menu").get_by_role("button")
    await opener.focus()
    await page.keyboard.press("ArrowDown")
    menu = page.get_by_role("menu")
    items = menu.get_by_role("menuitemradio")
    await expect(items.filter(has_text="With the day before")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(menu).to_have_count(0)
    await expect(opener).to_be_focused()
    await expect(page).to_have_url(f"{product.server.url}/energy?compare=none")
    await page.keyboard.press("ArrowDown")
    await expect(items.and_(page.locator("[aria-checked=true]"))).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(menu).to_have_count(0)
    await expect(opener).to_be_focused()


async def test_a_link_opens_the_same_period_again(product: Product, desktop: Watched, today: date) -> None:
    page = await open_energy(desktop, product, f"?month={today:%Y-%m}&compare=year")
    await expect(page.get_by_role("button", name="Month", exact=True)).to_have_attribute("aria-pressed", "true")
    first, last = today - timedelta(days=2), today - timedelta(days=1)
    await page.goto(f"{product.server.url}/energy?from={last}&to={first}")  # backwards
    await expect(page.get_by_label("First day")).to_have_value(first.isoformat())
    await expect(page.get_by_label("Last day")).to_have_value(last.isoformat())
    await page.goto(f"{product.server.url}/energy?day=2999-01-01")
    await expect(page.get_by_text("has not begun")).to_be_visible()
    await page.goto(f"{product.server.url}/energy?day=2001-01-01")
    await expect(page.get_by_text("Nothing is known of Monday 1 January 2001")).to_be_visible()


async def amounts(rows: Locator, name: str, amount: str) -> dict[str, str]:
    """Return what rows print, by their names."""
    return {
        (await row.locator(name).inner_text()).strip(): (await row.locator(amount).text_content() or "").strip()
        for row in await rows.all()
    }


async def test_devices_are_printed_alike_everywhere(product: Product, desktop: Watched, full_day: date) -> None:
    await product.server.imported()
    page = await open_energy(desktop, product, f"?day={full_day}")
    devices = page.get_by_role("region", name="Devices")
    await expect(devices).to_be_visible()
    printed = await amounts(devices.locator("tbody tr").filter(has=page.locator("td.amount")), "th", "td.amount")
    assert len(printed) > 5
    totals = page.get_by_role("region", name="Totals").locator("tbody").nth(1).locator("tr")
    used = common(await amounts(totals, "th", "td >> nth=0"), printed)
    assert len(used) == NAMED_USES
    assert used == {name: printed[name] for name in used}
    flows = page.get_by_role("region", name="Who fed whom")
    await flows.get_by_role("button", name="Show as table").click()
    links = flows.locator("tbody tr")
    await expect(links.first).to_be_visible()
    fed = common(await amounts(links.filter(has_text=re.compile("^\\s*Home")), "td >> nth=0", "td >> nth=1"), printed)
    assert len(fed) >= NAMED_USES
    assert {name: float(text) for name, text in fed.items()} == pytest.approx(
        {name: float(printed[name]) for name in fed}, abs=0.1
    )
    parts = devices.locator("tbody tr.part")
    shown = await parts.count()
    assert shown > 0
    await devices.get_by_role("button", name="Hide parts of").first.click()
    await expect(parts).not_to_have_count(shown)


def common(some: Mapping[str, str], printed: Mapping[str, str]) -> dict[str, str]:
    """Return those that are printed among the devices too."""
    return {name: text for name, text in some.items() if name in printed}


async def test_gas_and_water_have_bars_that_can_be_read(product: Product, desktop: Watched, full_day: date) -> None:
    await product.server.imported()
    page = await open_energy(desktop, product, f"?day={full_day}")
    known = await product.server.get(
        "/api/energy", start=str(full_day), end=str(full_day + timedelta(days=1)), resolution="hour", zone=ZONE
    )
    for name in ("gas", "water"):
        region = page.get_by_role("region", name=f"{name.capitalize()} by hour")
        total = region.get_by_role("status").locator(".key-number")
        await expect(total).to_have_text(re.compile(r"^\d+\.\d\d\s"))
        # half of a hundredth may be rounded either way
        assert float((await total.inner_text()).split()[0]) == pytest.approx(known[name]["total"], abs=0.005 + 1e-9)
        await region.get_by_role("button", name="Show as table").click()
        await expect(region.locator("tbody tr")).to_have_count(len(known["edges_us"]) - 1)


async def test_what_a_finger_meets_is_large_enough(product: Product, phone: Watched) -> None:
    page = await open_energy(phone, product)
    targets = page.get_by_role("group", name="Period", exact=True).get_by_role("button")
    await expect(targets).to_have_count(BUTTONS)
    for target in await targets.all():
        box = await target.bounding_box()
        assert box is not None
        assert box["height"] >= LEAST_TARGET_PX, await target.text_content()

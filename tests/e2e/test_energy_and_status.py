"""Energy and Status: what they print is what the server knows."""

import re
from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import pytest
from playwright.async_api import Locator, Route, expect

from dev.ha import Place
from tests.e2e.backfilling import backfilled
from tests.product.browser import Watched
from tests.product.running import Product
from tests.product.waiting import true

ZONE = Place().time_zone
PAINTED = """
canvas => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i] > 0) count += 1;
  return count / (data.length / 4);
}
"""

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def shows(cell: Locator, value: float) -> None:
    """Wait until a cell shows a value: its parts are rounded so that they give the printed total."""

    async def shown() -> bool:
        return float(await cell.text_content() or "nan") == pytest.approx(value, abs=0.1)

    await true(shown, f"{value} to be shown")


async def painted(canvas: Locator) -> None:
    """Wait until something is drawn."""

    async def drawn() -> bool:
        return bool(await canvas.evaluate(PAINTED) > 0.01)

    await true(drawn, "the chart to be painted")


async def test_a_day_before_us_is_full(product: Product, desktop: Watched, full_day: date) -> None:
    """Its bars, its totals and its table come from the statistics that Home Assistant had before us."""
    page = desktop.page
    await product.server.imported()
    await page.get_by_role("link", name="Energy", exact=True).click()
    for day in (full_day + timedelta(days=1), full_day):
        await page.get_by_role("button", name="Previous day").click()
        await expect(page).to_have_url(f"{product.server.url}/energy?day={day}")
    known = await product.server.get(
        "/api/energy", start=str(full_day), end=str(full_day + timedelta(days=1)), resolution="hour", zone=ZONE
    )
    totals = page.get_by_role("table").filter(has_text="Total from")
    for row, flow in {"Solar": "solar", "From the grid": "grid_import", "To the grid": "grid_export"}.items():
        cells = totals.get_by_role("row").filter(has=page.get_by_role("rowheader", name=row, exact=True))
        await shows(cells.get_by_role("cell").first, known["totals"][flow])
    await painted(page.locator("ed-steps-chart canvas").first)

    chart = page.get_by_role("region", name="Energy by hour").first
    await chart.get_by_role("button", name="Show as table").click()
    rows = chart.get_by_role("table").locator("tbody tr")
    await expect(rows).to_have_count(len(known["edges_us"]) - 1)
    solar = [float(text) for text in await rows.locator("td:nth-of-type(1)").all_text_contents()]
    # printed to a hundredth; half of one may go either way, as the page adds up finer steps
    assert solar == pytest.approx(known["flows"]["solar"], abs=0.005 + 1e-9)


async def test_today_so_far(product: Product, desktop: Watched, today: date) -> None:
    """Its totals are those of the server, a moment ago or now."""
    page = desktop.page
    await page.get_by_role("link", name="Energy", exact=True).click()
    await painted(page.locator("ed-steps-chart canvas").first)
    await expect(page.get_by_role("region", name="Who fed whom")).to_be_visible()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Home used", exact=True))
    span = {"start": str(today), "end": str(today + timedelta(days=1)), "zone": ZONE}

    async def known() -> bool:
        totals = (await product.server.get("/api/energy", resolution="total", **span))["totals"]
        return float(await row.locator("td").nth(2).text_content() or "nan") == pytest.approx(totals["home"], abs=0.1)

    await true(known, "the home's use of today")


async def test_status_says_how_things_are(product: Product, desktop: Watched) -> None:
    page = desktop.page
    await product.server.imported()
    await page.get_by_role("link", name="Status", exact=True).click()
    connection = page.get_by_role("region", name="Connection")
    await expect(connection.get_by_role("definition").first).to_contain_text("since")
    await expect(page.get_by_role("region", name="Status")).to_contain_text("is connected")
    await expect(page.get_by_role("heading", name="Last twelve months")).to_be_visible()
    entities = [
        entity for entity in (await product.server.get("/api/entities"))["entities"] if entity["until_us"] is None
    ]
    table = page.get_by_role("table").filter(has_text="Complete, 24 h")
    await expect(table.locator("tbody tr")).to_have_count(len(entities))
    await page.get_by_role("searchbox").fill("sensor.home_grid_power")
    row = table.locator("tbody tr")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("W")
    rows = page.get_by_role("region", name="Readings and statistics").get_by_role("definition").nth(1)
    await expect(rows).to_have_text(re.compile("[1-9]"))


def _off_for_a_minute(day: date) -> Callable[[Route], Awaitable[None]]:
    """Answer as the server does, but for a minute of the day in which Home Assistant was off."""

    async def answer(route: Route) -> None:
        response = await route.fetch()
        found = await response.json()
        (own,) = (one for one in found["days"] if one["date"] == str(day))
        known = max(("live_s", "backfilled_s", "statistics_s"), key=lambda name: float(own[name]))
        own |= {known: own[known] - 60, "missing_s": own["missing_s"] + 60, "ha_off_s": 60}
        await route.fulfill(response=response, json=found)

    return answer


async def test_the_calendar_tells_off_from_missing(
    product: Product, desktop: Watched, today: date, full_day: date
) -> None:
    page = desktop.page
    await product.server.imported()
    await page.route("**/api/completeness?*", _off_for_a_minute(full_day))
    await page.get_by_role("link", name="Status", exact=True).click()
    calendar = page.get_by_role("group", name="Home Assistant was off for a while.")
    await calendar.focus()
    card = page.get_by_role("region", name="Last twelve months")
    await expect(card).to_contain_text("Home Assistant off")
    for _ in range((today - full_day).days + 1):
        await page.keyboard.press("ArrowLeft")
    await expect(card.get_by_role("status")).to_contain_text("1 min missing: Home Assistant was off")
    await expect(calendar.locator(".off")).not_to_have_count(0)
    await card.get_by_role("button", name="Show as table").click()
    off = card.get_by_role("table").locator("tbody tr td:nth-of-type(3)").filter(has_text=re.compile(r"\d"))
    await expect(off).not_to_have_count(0)
    await page.unroute_all(behavior="wait")


async def test_a_day_of_the_calendar_opens_and_a_backfill_runs_to_its_end(
    product: Product, desktop: Watched, today: date
) -> None:
    page = desktop.page
    await product.server.imported()
    await page.get_by_role("link", name="Status", exact=True).click()
    calendar = page.get_by_role("group", name="Completeness of the last twelve months")
    await calendar.focus()
    await page.keyboard.press("ArrowLeft")  # today
    await page.keyboard.press("Enter")
    day = page.get_by_role("region", name=f"{today:%A} ")
    await expect(day.get_by_role("list", name="By hour").get_by_role("listitem")).not_to_have_count(0)
    await day.get_by_role("button", name="Close the day").click()
    await expect(day).to_have_count(0)
    await backfilled(page)

"""The dashboard by ingress: the same build below another path, passed on by a stand-in for the Supervisor."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from dev.processes import Process, free_port
from tests.e2e.backfilling import backfilled
from tests.e2e.oven import Oven
from tests.product.browser import Watched
from tests.product.running import FIRST_PORT, Product
from tests.product.waiting import until

SUPERVISOR = Path(__file__).resolve().parents[1] / "containers" / "supervisor.py"
SECRET = "a-secret-of-this-session"

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def ingress(product: Product, tmp_path: Path) -> AsyncIterator[str]:
    """Return the address of the dashboard as Home Assistant's page has it, with the Supervisor between."""
    port = free_port(FIRST_PORT + 200)
    environment = {
        "APP": "127.0.0.1",
        "SUPERVISOR_TOKEN": "not asked for here",
        "SERVICES": "energy_dashboard",
        "INGRESS": SECRET,
        "PORT": str(port),
        "INGRESS_PORT": product.server.settings["ENERGY_INGRESS_PORT"],
    }
    log = tmp_path / "supervisor.log"
    process = await Process.start("the Supervisor", (sys.executable, SUPERVISOR), log=log, environment=environment)

    async def answers() -> bool | None:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/test/told") as told:
                return told.status == 200 or None
        except aiohttp.ClientConnectionError:
            return None

    try:
        await until(answers, "the Supervisor to answer")
        yield f"http://127.0.0.1:{port}/api/hassio_ingress/{SECRET}"
    finally:
        await process.stop()


async def test_every_view_and_live_values(ingress: str, stranger: Watched, oven: Oven) -> None:
    page = stranger.page
    await page.goto(f"{ingress}/")
    number = page.get_by_role("listitem", name="Oven").locator("ed-live-number").first
    for watts in (9_111.0, 8_222.0):
        await oven.uses(watts)
        await expect(number).to_have_text(f"{watts / 1000:.2f}")
    for view, card in (("Energy", "Totals"), ("Status", "Entities"), ("Now", "Power now")):
        await page.get_by_role("link", name=view, exact=True).click()
        await expect(page.get_by_role("region", name=card)).to_be_visible()
        await expect(page).to_have_url(f"{ingress}/{view.lower()}")
    assert stranger.troubles == []


async def test_a_link_into_a_view_and_a_reload(ingress: str, stranger: Watched) -> None:
    page = stranger.page
    await page.goto(f"{ingress}/energy?month=now")
    month = page.get_by_role("button", name="Month", exact=True)
    await expect(month).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("ed-steps-chart canvas").first).to_be_visible()
    await page.get_by_role("button", name="Year", exact=True).click()
    await expect(page).to_have_url(f"{ingress}/energy?year=now")
    await page.reload()
    await expect(page.get_by_role("button", name="Year", exact=True)).to_have_attribute("aria-pressed", "true")
    assert stranger.troubles == []


async def test_a_backfill(ingress: str, stranger: Watched) -> None:
    page = stranger.page
    await page.goto(f"{ingress}/status")
    await backfilled(page)
    assert stranger.troubles == []

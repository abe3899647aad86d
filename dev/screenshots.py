"""The command `script/screenshots`: pictures of the running demo, phone and desktop, light and dark.

In:   a demo that runs (script/run), a folder for the pictures.
Out:  a PNG for each view, device and theme, in Home Assistant's sidebar as its owner and as a user who is no
      administrator sees it, and at the server's own address; Home Assistant's own Energy page; the README's pictures
      where they are asked for. Exit status 1 when something is missing.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import aiohttp
from playwright.async_api import Browser, BrowserContext, Error, FrameLocator, Page, ViewportSize, async_playwright

from .demo import Notes, installation, server
from .ha import Connection, HomeAssistantError, Installation, User, log_in
from .processes import ROOT
from .server import Server

type Theme = Literal["light", "dark"]

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VIEWS = {
    "now": "now",
    "energy": "energy",
    "energy-week": "energy?week=now",
    "energy-month": "energy?month=now",
    "energy-year": "energy?year=now",
    "energy-range": "energy?from={first}&to={last}",
    "status": "status",
}
"""Names of pictures, and the addresses of what they show."""
CARD = {"now": "Power now", "energy": "Totals", "status": "Entities"}
"""A card of each view that is there once its data is."""
THEMES: tuple[Theme, ...] = ("light", "dark")
READY_MS = 90_000  # a busy machine
SETTLE_MS = 1_500  # charts move into place
PLAIN = User(name="Plain user", username="plain", password="plain")  # noqa: S106 as the demo's owner
README = ROOT / "docs" / "pictures"
RANGE_DAYS = 14


@dataclass(frozen=True, slots=True)
class Device:
    """What the pictures are taken with."""

    name: str
    width: int
    height: int
    scale: float = 1.0
    touch: bool = False


DEVICES = (Device("desktop", 1440, 900), Device("phone", 390, 844, scale=2.0, touch=True))


def chromium() -> str:
    """Return the browser's path."""
    for name in (os.environ.get("ENERGY_CHROMIUM", ""), *CHROMIUM):
        if found := shutil.which(name) if name else None:
            return found
    raise FileNotFoundError("Chromium is not installed; name one by ENERGY_CHROMIUM=/path")


@asynccontextmanager
async def context(browser: Browser, device: Device, theme: Theme) -> AsyncIterator[BrowserContext]:
    """Open a private window of the device's size, in a theme."""
    opened = await browser.new_context(
        viewport=ViewportSize(width=device.width, height=device.height),
        device_scale_factor=device.scale,
        has_touch=device.touch,
        color_scheme=theme,
        locale="en-GB",
        timezone_id="Europe/Amsterdam",
        reduced_motion="reduce",
    )
    try:
        yield opened
    finally:
        await opened.close()


def address(view: str) -> str:
    """Return the address of a view, relative to the dashboard."""
    today = datetime.now().astimezone().date()
    return VIEWS[view].format(first=today - timedelta(days=RANGE_DAYS), last=today - timedelta(days=1))


async def shown(dashboard: Page | FrameLocator, view: str, page: Page) -> None:
    """Wait until a view has its data and its charts stand still."""
    await dashboard.get_by_role("region", name=CARD[view.partition("-")[0]]).first.wait_for(timeout=READY_MS)
    await page.wait_for_timeout(SETTLE_MS)


async def alone(page: Page, demo: Server, name: str, out: Path) -> int:
    """Take the dashboard's views at the server's own address."""
    await page.goto(f"{demo.url}/#token={demo.token()}")
    await page.get_by_role("navigation").first.wait_for(timeout=READY_MS)
    for view in VIEWS:
        await page.goto(f"{demo.url}/{address(view)}")
        await shown(page, view, page)
        await page.screenshot(path=out / f"{view}-{name}.png")
    return len(VIEWS)


async def ensure_plain_user(home_assistant: Installation) -> None:
    """Add a user who is no administrator, unless there is one."""
    try:
        await log_in(home_assistant, PLAIN)
    except HomeAssistantError:
        tokens = await log_in(home_assistant, User())
        async with Connection(home_assistant.url, tokens["access_token"]) as connection:
            created = await connection.command("config/auth/create", name=PLAIN.name, group_ids=["system-users"])
            await connection.command(
                "config/auth_provider/homeassistant/create",
                user_id=created["user"]["id"],
                username=PLAIN.username,
                password=PLAIN.password,
            )


async def keep_logged_in(page: Page, home_assistant: Installation, user: User) -> None:
    """Let the page be logged in to Home Assistant as the user."""
    tokens: dict[str, Any] = await log_in(home_assistant, user)
    kept = {
        **tokens,
        "hassUrl": home_assistant.url,
        "clientId": home_assistant.client_id,
        "expires": int((time.time() + tokens["expires_in"]) * 1000),
    }
    await page.add_init_script(f"localStorage.hassTokens = {json.dumps(json.dumps(kept))}")


async def in_sidebar(page: Page, home_assistant: Installation, name: str, out: Path) -> int:
    """Take the dashboard's views in Home Assistant's sidebar."""
    dashboard = page.frame_locator('iframe[title="Energy Dashboard"]')
    for view in VIEWS:
        await page.goto(f"{home_assistant.url}/energy-dashboard/{address(view)}")
        await shown(dashboard, view, page)
        await page.screenshot(path=out / f"{view}-{name}.png")
    return len(VIEWS)


async def theirs(page: Page, home_assistant: Installation, name: str, out: Path) -> int:
    """Take Home Assistant's own Energy page."""
    await page.goto(f"{home_assistant.url}/energy")
    await page.locator("hui-energy-usage-graph-card").first.wait_for(timeout=READY_MS)
    await page.wait_for_timeout(2 * SETTLE_MS)
    await page.screenshot(path=out / f"home-assistant-{name}.png")
    return 1


async def take(demo: Server, home_assistant: Installation, out: Path) -> int:
    """Take all pictures; return how many."""
    count = 0
    await ensure_plain_user(home_assistant)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        for device in DEVICES:
            for theme in THEMES:
                name = f"{device.name}-{theme}"
                async with context(browser, device, theme) as window:
                    count += await alone(await window.new_page(), demo, name, out)
                for user, who in ((User(), "owner"), (PLAIN, "plain-user")):
                    async with context(browser, device, theme) as window:
                        page = await window.new_page()
                        await keep_logged_in(page, home_assistant, user)
                        count += await in_sidebar(page, home_assistant, f"sidebar-{who}-{name}", out)
                        if user != PLAIN:
                            count += await theirs(page, home_assistant, name, out)
                print(f"  {name}")
        await browser.close()
    return count


async def take_for_readme(home_assistant: Installation, out: Path) -> int:
    """Take the README's pictures: Now and a month in the sidebar, a day on a phone, Status."""
    today = datetime.now().astimezone().date()
    month = today.replace(day=1) - timedelta(days=1)
    desktop, phone = DEVICES
    wanted: tuple[tuple[str, Device, Theme, str, str], ...] = (
        ("now", desktop, "light", "now", "now"),
        ("month", desktop, "dark", f"energy?month={month:%Y-%m}", "energy"),
        ("day", phone, "light", f"energy?day={today - timedelta(days=1)}", "energy"),
        ("status", desktop, "light", "status", "status"),
    )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        for name, device, theme, target, view in wanted:
            async with context(browser, device, theme) as window:
                page = await window.new_page()
                await keep_logged_in(page, home_assistant, User())
                await page.goto(f"{home_assistant.url}/energy-dashboard/{target}")
                await shown(page.frame_locator('iframe[title="Energy Dashboard"]'), view, page)
                await page.screenshot(path=out / f"{name}.png")
        await browser.close()
    return len(wanted)


def main() -> int:
    """Take the pictures of the demo that runs."""
    state = Path(os.environ.get("ENERGY_STATE", ROOT / ".state")).resolve()
    parser = argparse.ArgumentParser(prog="script/screenshots", description="Take pictures of the running demo.")
    parser.add_argument("--out", type=Path, default=state / "screenshots", help="folder (default: %(default)s)")
    parser.add_argument("--readme", action="store_true", help="take the README's pictures instead, for docs/pictures")
    options = parser.parse_args()
    out: Path = README if options.readme else options.out
    out.mkdir(parents=True, exist_ok=True)
    notes = Notes.read(state)
    home_assistant = installation(state, notes.ha_port)
    if options.readme:
        taking = take_for_readme(home_assistant, out)
    else:
        taking = take(server(state, notes.port), home_assistant, out)
    try:
        count = asyncio.run(taking)
    except (aiohttp.ClientError, HomeAssistantError, OSError, Error) as err:
        print(f"{err}\nIs the demo running? Start it with script/run.", file=sys.stderr)
        return 1
    print(f"{count} pictures in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

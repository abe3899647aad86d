"""The command `script/screenshots`: pictures of the running demo, phone and desktop, light and dark.

In:   a demo that runs (script/run), a folder for the pictures.
Out:  a PNG for each view, device and theme; ours and Home Assistant's own Energy page. Exit status 1 when something
      is missing.
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
from pathlib import Path
from typing import Literal

import aiohttp
from playwright.async_api import Browser, BrowserContext, Error, Page, ViewportSize, async_playwright

from .demo import Notes, installation, server
from .ha import Installation, User, log_in
from .processes import ROOT
from .server import Server

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
VIEWS = ("now", "energy", "status")
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
READY_MS = 30_000
SETTLE_MS = 1_500  # charts move into place


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
async def context(browser: Browser, device: Device, theme: Literal["light", "dark"]) -> AsyncIterator[BrowserContext]:
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


async def ours(page: Page, demo: Server, name: str, out: Path) -> None:
    """Take the dashboard's views."""
    await page.goto(f"{demo.url}/#token={demo.token()}")
    await page.get_by_role("navigation").first.wait_for(timeout=READY_MS)
    for view in VIEWS:
        await page.goto(f"{demo.url}/{view}")
        await page.get_by_role("main").wait_for(timeout=READY_MS)
        await page.locator("canvas:visible, svg:visible").first.wait_for(timeout=READY_MS)
        await page.wait_for_timeout(SETTLE_MS)
        await page.screenshot(path=out / f"{view}-{name}.png")


async def theirs(page: Page, home_assistant: Installation, name: str, out: Path) -> None:
    """Take Home Assistant's own Energy page."""
    tokens = await log_in(home_assistant, User())
    kept = {
        **tokens,
        "hassUrl": home_assistant.url,
        "clientId": home_assistant.client_id,
        "expires": int((time.time() + tokens["expires_in"]) * 1000),
    }
    await page.add_init_script(f"localStorage.hassTokens = {json.dumps(json.dumps(kept))}")
    await page.goto(f"{home_assistant.url}/energy")
    await page.locator("hui-energy-usage-graph-card").first.wait_for(timeout=READY_MS)
    await page.wait_for_timeout(2 * SETTLE_MS)
    await page.screenshot(path=out / f"home-assistant-{name}.png")


async def take(demo: Server, home_assistant: Installation, out: Path) -> int:
    """Take all pictures; return how many."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        for device in DEVICES:
            for theme in THEMES:
                name = f"{device.name}-{theme}"
                async with context(browser, device, theme) as window:
                    await ours(await window.new_page(), demo, name, out)
                    await theirs(await window.new_page(), home_assistant, name, out)
                print(f"  {name}")
        await browser.close()
    return len(DEVICES) * len(THEMES) * (len(VIEWS) + 1)


def main() -> int:
    """Take the pictures of the demo that runs."""
    state = Path(os.environ.get("ENERGY_STATE", ROOT / ".state")).resolve()
    parser = argparse.ArgumentParser(prog="script/screenshots", description="Take pictures of the running demo.")
    parser.add_argument("--out", type=Path, default=state / "screenshots", help="folder (default: %(default)s)")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    notes = Notes.read(state)
    try:
        count = asyncio.run(take(server(state, notes.port), installation(state, notes.ha_port), out))
    except (aiohttp.ClientError, OSError, Error) as err:
        print(f"{err}\nIs the demo running? Start it with script/run.", file=sys.stderr)
        return 1
    print(f"{count} pictures in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

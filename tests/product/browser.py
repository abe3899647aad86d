"""A real browser that looks at the dashboard, and notes what should not happen.

In:   the address of a server.
Out:  pages; `Watched.troubles`: console errors, uncaught errors, failed and refused requests, each as one line. What is
      expected of a page is waited for as long as a machine takes that is busy with other things.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
    async_playwright,
    expect,
)

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=390, height=844)
REFUSED = 400
PATIENCE_MS = 20_000


def executable() -> str:
    """Return where the browser is."""
    named = os.environ.get("ENERGY_CHROMIUM", "")
    names = (named, "chromium", "google-chrome", "chromium-browser")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    assert found is not None, "There is no Chromium: install it, or name one by ENERGY_CHROMIUM."
    return found


@dataclass
class Watched:
    """A page, and what went wrong in it."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.troubles.append(f"uncaught: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"console {message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a view that was left lets go of what it had asked
            self.troubles.append(f"failed: {request.method} {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= REFUSED:
            self.troubles.append(f"{response.status}: {response.request.method} {response.url}")


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """Run the browser."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def looking(browser: Browser, size: ViewportSize) -> AsyncIterator[Watched]:
    """Open a page with a session of its own; a small one is a phone's."""
    phone = size == PHONE
    context = await browser.new_context(viewport=size, is_mobile=phone, has_touch=phone, locale="en-GB")
    try:
        yield Watched(await context.new_page())
    finally:
        await context.close()
